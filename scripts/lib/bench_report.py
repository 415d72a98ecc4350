"""What the HTML report of a very long session costs: a million events, ten thousand of them grave."""

from __future__ import annotations

import contextlib
import random
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bench_setting import REPOSITORY, Setting

from agentguard.config import Home, open_home
from agentguard.model.finding import Activity, Finding, Flow, Kind
from agentguard.model.process import Ancestor, Attribution, Confidence, Process
from agentguard.model.secret import SecretMatch
from agentguard.model.session import Session
from agentguard.model.verdict import Destination, Disposition, Outcome, Severity, Verdict
from agentguard.record.ledger import Ledger
from agentguard.record.supervisor import this_process

_EVENTS = 1_000_000
_QUICK_EVENTS = 400
_GRAVE_OF = 100
"""Of so many events, one is a send that leaked or exposed what was read before it."""
_BATCH = 256
_FILES, _HOSTS, _KEYS, _PIDS = 500, 120, 300, 30_000
_START_NS = 1_760_000_000_000_000_000
_STEP_NS = 20_000_000
_SEED = 20_260_131
_MEASURE = """
import resource, runpy, sys
sys.argv = ["agentguard", "report", *sys.argv[1:]]
try:
    runpy.run_module("agentguard", run_name="__main__")
except SystemExit as error:
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, file=sys.stderr)
    raise
"""
"""The verb, and then what the process used: seconds of processor time, MB at its largest."""

_READ = Verdict(disposition=Disposition.LOGGED, severity=Severity.LOW, rule="bench:read", reason="It was read.")
_LEAKED = Verdict(
    disposition=Disposition.ALERT,
    severity=Severity.CRITICAL,
    rule="bench:leak",
    reason="It went to a host that is not its issuer.",
    outcome=Outcome.LEAKED,
    destination=Destination.OTHER,
)
_EXPOSED = replace(
    _LEAKED, severity=Severity.HIGH, outcome=Outcome.EXPOSED, destination=Destination.MODEL, rule="bench:exposed"
)


@dataclass(frozen=True, slots=True)
class _Cost:
    seconds: float
    """Of processor time."""
    memory: float
    """MB at its largest."""
    size: float
    """MB of the file."""


def bench_report(setting: Setting) -> None:
    """Print what the report takes, beside that of a session of ten events."""
    home = open_home(setting.base / "home")
    events = _QUICK_EVENTS if setting.quick else _EVENTS
    _fill(home, "small", 10)
    _fill(home, "large", events)
    print(f"\nthe HTML report of a session of {events:,} events, {events // _GRAVE_OF:,} of them grave")
    for name in ("small", "large"):
        costs = [_cost(setting, home, name) for _ in range(1 if setting.quick else setting.rounds)]
        seconds = [cost.seconds for cost in costs]
        print(
            f"  {name}  {statistics.median(seconds):.2f} s of processor time (worst {max(seconds):.2f}), "
            f"{max(cost.memory for cost in costs):.0f} MB of memory, a file of {costs[-1].size:.2f} MB"
        )


def _cost(setting: Setting, home: Home, session: str) -> _Cost:
    page = setting.base / "report.html"
    words = ["--home", str(home.root), "--session", session, "-o", str(page)]
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *words],
        cwd=REPOSITORY,
        env=setting.environ(),
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    seconds, memory = done.stderr.split()
    return _Cost(float(seconds), float(memory), page.stat().st_size / 1e6)


def _fill(home: Home, uid: str, count: int) -> None:
    session = Session(
        uid=uid,
        agent="claude",
        agent_name="Claude Code",
        command=("claude",),
        cwd="/home/dev/shop",
        root_pid=1000,
        start_ns=_START_NS,
    )
    with contextlib.closing(Ledger(home.database, home.chain_key(), home.root / "register.head")) as ledger:
        ledger.begin(session, this_process())
        coming = _events(uid, count)
        while batch := [event for _, event in zip(range(_BATCH), coming, strict=False)]:
            ledger.append(batch)
        ended = replace(
            session,
            end_ns=_START_NS + count * _STEP_NS,
            exit_status=0,
            end_reason="exited",
            outcome=Outcome.LEAKED,
            outcome_reason=_LEAKED.reason,
        )
        ledger.seal(ended)


def _events(session: str, count: int) -> Iterator[tuple[Finding, Verdict]]:
    """Reads of some files by thousands of processes; now and then one of them is sent on."""
    draw = random.Random(_SEED)  # noqa: S311 - nothing here is secret
    read = ""
    for number in range(1, count + 1):
        if number % _GRAVE_OF:
            yield _read(session, number, draw)
            read = f"{session}-{number}"
        else:
            yield _send(session, number, read, draw)


def _read(session: str, number: int, draw: random.Random) -> tuple[Finding, Verdict]:
    path = f"/home/dev/shop/service-{draw.randrange(_FILES)}/.env"
    what = {"kind": Kind.FILE, "activity": Activity.READ, "subject": ".env (1 secret)", "path": path}
    return _finding(session, number, "cat", path, draw, **what), _READ


def _send(session: str, number: int, read: str, draw: random.Random) -> tuple[Finding, Verdict]:
    host = f"h{draw.randrange(_HOSTS)}.example"
    what = {"kind": Kind.HTTP, "activity": Activity.SEND, "subject": f"POST https://{host}/api", "host": host}
    finding = _finding(session, number, "curl", "", draw, flow=Flow(read, 0.02, "0" * 32), **what)
    return finding, _LEAKED if draw.randrange(3) else _EXPOSED


def _finding(session: str, number: int, program: str, source: str, draw: random.Random, **what: object) -> Finding:
    key = draw.randrange(_KEYS)
    return Finding(
        uid=f"{session}-{number}",
        time_ns=_START_NS + number * _STEP_NS,
        session=session,
        agent="claude",
        sensor="seccomp",
        process=Process(
            pid=4_000 + number % _PIDS,
            name=program,
            exe=f"/usr/bin/{program}",
            cmdline=(program, source),
            ancestors=(Ancestor(3000 + number % 300, "bash"), Ancestor(1000, "claude")),
        ),
        attribution=Attribution.EXACT,
        confidence=Confidence.EXACT_HELD,
        matches=(
            SecretMatch(
                type="openai-project-key",
                fingerprint=f"{key:032x}",
                preview="•••",
                name=f"KEY_{key}",
                place="file" if source else "body",
                issuer_hosts=("api.openai.com",),
                source_path=source,
            ),
        ),
        **what,  # type: ignore[arg-type]
    )
