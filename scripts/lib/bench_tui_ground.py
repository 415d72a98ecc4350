"""A database of a million events for `bench tui`: a session that runs and holds nearly all of them, and older ones."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace

from agentguard.config import Home
from agentguard.model.finding import Activity, Finding, Flow, Kind
from agentguard.model.process import Ancestor, Attribution, Confidence, Process
from agentguard.model.secret import SecretMatch
from agentguard.model.session import Coverage, SensorState, Session
from agentguard.model.verdict import Destination, Disposition, Outcome, Severity, Verdict
from agentguard.record.ledger import Ledger
from agentguard.record.supervisor import this_process

RUNNING = "01BENCH0RUNNING"
OLDER = 120
"""Sessions that have ended."""
_BASE = 2_000
"""Events written one by one; the others are copies of them, later in time."""
_APART_NS = 3_000_000
"""Between two events: a million last 50 minutes."""
_ENDED = 40
"""Events of each older session."""

_LOGGED = Verdict(
    disposition=Disposition.LOGGED, severity=Severity.LOW, rule="policies/default.yaml:read", reason="A read."
)
_SENT = Verdict(
    disposition=Disposition.IGNORED,
    severity=Severity.INFO,
    rule="policies/default.yaml:to-own-issuer",
    reason="The key went to its own issuer, in the auth header.",
    destination=Destination.ISSUER,
)
_LEAK = Verdict(
    disposition=Disposition.ALERT,
    severity=Severity.CRITICAL,
    rule="policies/default.yaml:leak-to-unknown-host",
    reason="DEPLOY_KEY went to paste.example, which is not its issuer.",
    outcome=Outcome.LEAKED,
    destination=Destination.OTHER,
)
_COPY = """
INSERT INTO events (uid, session, seq, time_ns, kind, activity, severity, disposition, outcome, subject, path, host,
                    pid, process_name, flow_read, words, json, link)
SELECT :k || '-' || uid, session, seq + :seq, time_ns + :ns, kind, activity, severity, disposition, outcome, subject,
       path, host, pid, process_name, :k || '-' || flow_read, words,
       CASE WHEN flow_read IS NULL THEN moved ELSE json_set(moved, '$.flow.read', :k || '-' || flow_read) END, link
FROM (SELECT *, json_set(json, '$.uid', :k || '-' || uid, '$.seq', seq + :seq, '$.time',
             strftime('%Y-%m-%dT%H:%M:%S', (time_ns + :ns) / 1000000000, 'unixepoch')
             || printf('.%06dZ', (time_ns + :ns) / 1000 % 1000000)) AS moved
      FROM events WHERE session = :session AND seq <= :base ORDER BY seq)
"""
_COPY_MATCHES = """
INSERT INTO matches SELECT copy.id, one.session, one.fingerprint, one.public
FROM events AS copy JOIN events AS first ON first.session = copy.session AND first.seq = copy.seq - :seq
JOIN matches AS one ON one.event = first.id WHERE copy.session = :session AND copy.seq > :seq
"""


def running_session(start_ns: int) -> Session:
    """The one the dashboard opens with."""
    coverage = tuple(
        Coverage(sensor=name, state=SensorState.RUNNING, proved=True, events=1)
        for name in ("seccomp", "proxy", "environment")
    )
    return Session(
        uid=RUNNING,
        agent="claude-code",
        agent_name="Claude Code",
        command=("claude",),
        cwd="/home/bench/src/shop",
        root_pid=4000,
        start_ns=start_ns,
        outcome=Outcome.LEAKED,
        outcome_reason=_LEAK.reason,
        coverage=coverage,
    )


def fill(home: Home, events: int) -> None:
    """Write `events` events, the last one of the present moment."""
    start_ns = time.time_ns() - events * _APART_NS
    ledger = Ledger(home.database, home.chain_key(), home.root / "register.head")
    for number in range(OLDER):
        _ended(ledger, number, start_ns)
    session = running_session(start_ns)
    ledger.begin(session, this_process())
    base = min(_BASE, events)
    coming = script(session)
    ledger.append([next(coming) for _ in range(base)])
    ledger.add_processes(session.uid, [process(pid) for pid in range(4001, 4041)])
    ledger.close()
    _copy(home, base, events // base)


def _copy(home: Home, base: int, times: int) -> None:
    with contextlib.closing(sqlite3.connect(home.database, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -200000")
        connection.execute("BEGIN")
        for number in range(1, times):
            moved = {
                "k": number,
                "seq": number * base,
                "ns": number * base * _APART_NS,
                "session": RUNNING,
                "base": base,
            }
            connection.execute(_COPY, moved)
            connection.execute(_COPY_MATCHES, moved)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _ended(ledger: Ledger, number: int, before_ns: int) -> None:
    uid, start_ns = f"01BENCH{number:04}", before_ns - (number + 2) * 3_600 * 1_000_000_000
    session = replace(running_session(start_ns), uid=uid, root_pid=100 + number)
    ledger.begin(session, this_process())
    coming = script(session)
    ledger.append([next(coming) for _ in range(_ENDED)])
    ledger.seal(replace(session, end_ns=start_ns + 600 * 1_000_000_000, exit_status=0, end_reason="exited"))


def script(session: Session) -> Iterator[tuple[Finding, Verdict]]:
    """Reads, sends to an issuer, and now and then a leak."""
    number = 0
    while True:
        if number % 100 == 97:
            read = f"{session.uid}-{number - 1}"
            yield (
                finding(session, number, Activity.SEND, "https://paste.example/api", Flow(read, 0.003, "7f" * 16)),
                _LEAK,
            )
        elif number % 3 == 0:
            yield finding(session, number, Activity.READ, f"config/{number % 50}/.env"), _LOGGED
        else:
            yield finding(session, number, Activity.SEND, f"https://api{number % 9}.example/v1/messages"), _SENT
        number += 1


def finding(session: Session, number: int, activity: Activity, where: str, flow: Flow | None = None) -> Finding:
    """One event, of one of forty processes."""
    read = activity is Activity.READ
    key = "7f" * 16 if flow or read else f"{number % 9:032x}"
    match = SecretMatch(
        type="openai-project-key",
        fingerprint=key,
        preview="sk-p…9Q",
        name="DEPLOY_KEY",
        place="file" if read else "body",
    )
    return Finding(
        uid=f"{session.uid}-{number}",
        time_ns=session.start_ns + number * _APART_NS,
        session=session.uid,
        agent=session.agent,
        kind=Kind.FILE if read else Kind.HTTP,
        activity=activity,
        subject=f"{where} (1 secret)" if read else f"POST {where}",
        sensor="seccomp" if read else "proxy",
        process=process(4001 + number % 40),
        attribution=Attribution.EXACT,
        confidence=Confidence.EXACT_HELD,
        path=f"{session.cwd}/{where}" if read else "",
        host="" if read else where.split("/")[2],
        port=0 if read else 443,
        method="" if read else "POST",
        protocol="" if read else "h2",
        matches=(match,),
        flow=flow,
    )


def process(pid: int) -> Process:
    """Child of a shell, child of the agent."""
    return Process(
        pid=pid,
        name="node",
        exe="/usr/bin/node",
        cmdline=("node", "cli.js", "--task", str(pid)),
        start_time=pid,
        ancestors=(Ancestor(4001, "bash"), Ancestor(4000, "claude")) if pid > 4001 else (Ancestor(4000, "claude"),),
    )
