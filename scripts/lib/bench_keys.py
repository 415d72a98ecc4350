"""What the inventory of credentials costs: the writer for each event, and `agentguard keys` over a million of them."""

from __future__ import annotations

import contextlib
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from unittest import mock

from bench_setting import REPOSITORY, Setting

from agentguard.config import Home, open_home
from agentguard.model.finding import Activity, Finding, Kind
from agentguard.model.process import Ancestor, Attribution, Confidence, Process
from agentguard.model.secret import SecretMatch
from agentguard.model.session import Session
from agentguard.model.verdict import Disposition, Outcome, Severity, Verdict
from agentguard.record import ledger as ledger_module
from agentguard.record.credentials import stored_uses, uses_in_events
from agentguard.record.ledger import Ledger
from agentguard.record.reader import histories_before
from agentguard.record.supervisor import this_process

_EVENTS = 1_000_000
_SESSIONS = 400
_QUICK_EVENTS, _QUICK_SESSIONS = 400, 4
_KEYS = 200
_KEYS_OF_SESSION = 12
_HOSTS = 30
_BATCH = 256
_COMPARED = 20
"""Batches written with and without the inventory, each."""
_AGENTS = ("claude", "codex", "gemini")
_START_NS = 1_760_000_000_000_000_000
_SECOND = 1_000_000_000
_HABIT = 3
"""Of so many events, one is a send."""
_SEED = 20_260_131

_READ = Verdict(disposition=Disposition.LOGGED, severity=Severity.MEDIUM, rule="bench:read", reason="It was read.")
_SENT = Verdict(
    disposition=Disposition.ALERT,
    severity=Severity.CRITICAL,
    rule="bench:leak",
    reason="It went to a host that is not its issuer.",
    outcome=Outcome.LEAKED,
)
_Judged = tuple[Finding, Verdict]


def bench_keys(setting: Setting) -> None:
    """Print microseconds an event, and seconds of the verb, over a database that a user has after years."""
    home = open_home(setting.base / "home")
    events, sessions = (_QUICK_EVENTS, _QUICK_SESSIONS) if setting.quick else (_EVENTS, _SESSIONS)
    without, with_it = _writing(open_home(setting.base / "small"), 2 if setting.quick else _COMPARED)
    print(f"\nprocessor time of the writer, each event: {without:.0f} us without the inventory, {with_it:.0f} with it")
    _fill(home, events, sessions)
    with contextlib.closing(sqlite3.connect(home.database)) as connection:
        (uses,) = connection.execute("SELECT COUNT(*) FROM credential_uses").fetchone()
    print(f"a database of {events:,} events, {sessions} sessions, {_KEYS} credentials: {uses:,} uses in the inventory")
    print("processor time of")
    rounds = 1 if setting.quick else setting.rounds
    for words in (["--version"], ["keys"], ["keys", "worklist"], ["keys", "--format", "text"]):
        seconds = [_verb(setting, home, words) for _ in range(rounds)]
        print(f"  agentguard {' '.join(words):<20}  {statistics.median(seconds):.2f} s (worst {max(seconds):.2f})")
    print(f"  what a session is compared with  {_comparison(home, rounds) * 1000:.0f} ms, asked once, off its start")
    print(f"  all of it from the events        {_worked_out_again(home):.1f} s (an old database, once)")


def _writing(home: Home, batches: int) -> tuple[float, float]:
    """Median microseconds an event, without the inventory and with it, in turn."""
    ledger, draw = _opened(home), _draw()
    ledger.begin(_session(0), this_process())
    events = _events(0, draw)
    times: tuple[list[float], list[float]] = [], []
    for number in range(2 * batches):
        batch = [next(events) for _ in range(_BATCH)]
        began = time.process_time()
        if number % 2:
            ledger.append(batch)
        else:
            with mock.patch.object(ledger_module, "note_events"):
                ledger.append(batch)
        times[number % 2].append((time.process_time() - began) / _BATCH * 1e6)
    ledger.close()
    return statistics.median(times[0]), statistics.median(times[1])


def _fill(home: Home, events: int, sessions: int) -> None:
    ledger, draw = _opened(home), _draw()
    for number in range(sessions):
        ledger.begin(_session(number), this_process())
        coming = _events(number, draw)
        left = events // sessions
        while left:
            batch = [next(coming) for _ in range(min(left, _BATCH))]
            ledger.append(batch)
            left -= len(batch)
    ledger.close()


def _verb(setting: Setting, home: Home, words: list[str]) -> float:
    """Seconds of processor time: how long it takes depends on what else the machine does."""
    where = ["--home", str(home.root)] if words[0] == "keys" else []
    command = [sys.executable, "-m", "agentguard", words[0], *where, *words[1:]]
    before = _time_of_children()
    subprocess.run(command, cwd=REPOSITORY, env=setting.environ(), stdout=subprocess.DEVNULL, check=True)
    return _time_of_children() - before


def _time_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _comparison(home: Home, rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        began = time.process_time()
        histories_before(home.database, "s-0", _START_NS * 2)
        seconds.append(time.process_time() - began)
    return statistics.median(seconds)


def _worked_out_again(home: Home) -> float:
    """Seconds of processor time; fails when it is not what the writer had made of the same events."""
    with contextlib.closing(sqlite3.connect(home.database)) as connection:
        began = time.process_time()
        found = uses_in_events(connection)
        took = time.process_time() - began
        if found != stored_uses(connection):
            raise AssertionError("the inventory is not what its events say")
    return took


def _draw() -> random.Random:
    """The same database in each run."""
    return random.Random(_SEED)  # noqa: S311 - nothing here is secret


def _opened(home: Home) -> Ledger:
    return Ledger(home.database, home.chain_key(), home.root / "register.head")


def _session(number: int) -> Session:
    return Session(
        uid=f"s-{number}",
        agent=_AGENTS[number % len(_AGENTS)],
        agent_name="An agent",
        command=("agent",),
        cwd="/home/dev/shop",
        root_pid=1000,
        start_ns=_START_NS + number * 3600 * _SECOND,
    )


def _events(session: int, draw: random.Random) -> Iterator[_Judged]:
    """A session reads a few of the credentials, and sends them to some hosts."""
    mine = draw.sample(range(_KEYS), _KEYS_OF_SESSION)
    number = 0
    while True:
        number += 1
        yield _event(
            session, number, draw.choice(mine), host="" if number % _HABIT else f"h{draw.randrange(_HOSTS)}.example"
        )


@dataclass(frozen=True, slots=True)
class _Where:
    kind: Kind
    activity: Activity
    subject: str


def _event(session: int, number: int, key: int, host: str) -> _Judged:
    path = f"/home/dev/project-{key % 20}/.env"
    where = (
        _Where(Kind.HTTP, Activity.SEND, f"POST https://{host}/api") if host else _Where(Kind.FILE, Activity.READ, path)
    )
    name = "curl" if host else "cat"
    finding = Finding(
        uid=f"{session}-{number}",
        time_ns=_START_NS + (session * 3600 + number) * _SECOND,
        session=f"s-{session}",
        agent=_AGENTS[session % len(_AGENTS)],
        kind=where.kind,
        activity=where.activity,
        subject=where.subject,
        sensor="seccomp",
        process=Process(
            pid=4000 + number % 100,
            name=name,
            exe=f"/usr/bin/{name}",
            cmdline=(name, where.subject),
            ancestors=(Ancestor(3000, "bash"), Ancestor(1000, "agent")),
        ),
        attribution=Attribution.EXACT,
        confidence=Confidence.EXACT_HELD,
        path="" if host else path,
        host=host,
        matches=(
            SecretMatch(
                type="openai-project-key",
                fingerprint=f"{key:032x}",
                preview="•••",
                name=f"KEY_{key}",
                place="body" if host else "file",
                issuer_hosts=("api.openai.com",),
                source_path=path,
            ),
        ),
    )
    return finding, _SENT if host else _READ
