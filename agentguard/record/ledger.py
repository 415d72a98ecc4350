"""What is written, one transaction at a time. Used by one thread; a failed transaction leaves no trace."""

from __future__ import annotations

import dataclasses
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentguard.model.event import Event
from agentguard.model.finding import Finding
from agentguard.model.process import Process
from agentguard.model.session import Session
from agentguard.model.verdict import Outcome, Verdict
from agentguard.record import chain
from agentguard.record.counting import session_counts
from agentguard.record.credentials import note_events
from agentguard.record.register import SEAL, START, Entry, Head, append_entry, note_head
from agentguard.record.rows import Image, coverage_row, event_image, process_row, sealed_body, session_columns
from agentguard.record.schema import open_database
from agentguard.record.stored import processes_digest, stored_session, worst_outcome
from agentguard.record.supervisor import Supervisor
from agentguard.record.transactions import immediate

EVENT_COLUMNS = (
    *("uid", "session", "seq", "time_ns", "kind", "activity", "severity", "disposition", "outcome", "subject"),
    *("path", "host", "pid", "process_name", "flow_read", "words", "json", "link"),
)

_INSERT_EVENT = f"INSERT INTO events ({', '.join(EVENT_COLUMNS)}) VALUES ({', '.join('?' * len(EVENT_COLUMNS))})"  # noqa: S608


ABANDONED = "The guard was stopped before the session ended, so what happened afterwards was not seen."


@dataclass(frozen=True, slots=True)
class Tail:
    """Where a session's chain ends."""

    seq: int
    link: str


class Ledger:
    """The open database and the ends of the chains it writes.

    Every method may raise `sqlite3.Error`; the constructor raises `StoreError`.
    """

    def __init__(self, path: Path, key: bytes, head: Path) -> None:
        self._connection = open_database(path)
        self._connection.row_factory = sqlite3.Row
        self._key = key
        self._head = head
        self._tails: dict[str, Tail] = {}

    def close(self) -> None:
        self._connection.close()

    def begin(self, session: Session, supervisor: Supervisor) -> None:
        columns = session_columns(session) | {
            "supervisor_pid": supervisor.pid,
            "supervisor_start": supervisor.start_time,
        }
        with immediate(self._connection) as connection:
            names = ", ".join(columns)
            marks = ", ".join("?" * len(columns))
            connection.execute(f"INSERT INTO sessions ({names}) VALUES ({marks})", tuple(columns.values()))  # noqa: S608
            self._write_coverage(session)
            head = self._register(START, session.uid, 0, chain.genesis(self._key, session.uid))
        note_head(self._head, head)

    def update(self, session: Session) -> None:
        """The session as it now is. A sealed session is left alone."""
        with immediate(self._connection):
            self._write_session(session)

    def append(self, batch: Sequence[tuple[Finding, Verdict]]) -> None:
        """Give each its seq and its link, and commit all of them, or none."""
        tails: dict[str, Tail] = {}
        events: list[dict[str, Any]] = []
        with immediate(self._connection) as connection:
            for finding, verdict in batch:
                tail = tails.get(finding.session) or self._tail(finding.session)
                image = event_image(Event(tail.seq + 1, finding, verdict))
                tail = Tail(tail.seq + 1, chain.link(self._key, tail.link, image.body))
                self._insert(connection, image, tail.link)
                tails[finding.session] = tail
                events.append(image.data)
            note_events(connection, events)
        self._tails |= tails

    def add_processes(self, session: str, processes: Sequence[Process]) -> None:
        """Its newest program stands for a process that executed several."""
        now = time.time_ns()
        rows = [process_row(session, process, now) for process in processes]
        with immediate(self._connection) as connection:
            connection.executemany(
                "INSERT INTO processes VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                "name = excluded.name, exe = excluded.exe, cmdline = excluded.cmdline",
                rows,
            )

    def seal(self, session: Session) -> str:
        """End the session: its last row, its counts, its seal, and the register's row. Returns the seal."""
        with immediate(self._connection) as connection:
            counted = dataclasses.replace(session, counts=session_counts(connection, session.uid))
            self._write_session(counted)
            # What was stored is sealed, not what was handed in: the seal must be found again from the tables.
            stored = stored_session(connection, session.uid)
            if stored is None:
                raise sqlite3.IntegrityError("no such session")
            if stored.seal:
                return stored.seal
            tail = self._tail(session.uid)
            body = sealed_body(stored, tail.seq, processes_digest(connection, session.uid))
            seal = chain.link(self._key, tail.link, body)
            connection.execute("UPDATE sessions SET seal = ? WHERE uid = ?", (seal, session.uid))
            head = self._register(SEAL, session.uid, tail.seq, seal)
        self._tails.pop(session.uid, None)
        note_head(self._head, head)
        return seal

    def unsealed(self) -> list[tuple[Session, Supervisor]]:
        """Sessions that run, or whose writer died."""
        rows = self._connection.execute(
            "SELECT uid, supervisor_pid, supervisor_start FROM sessions WHERE seal = '' ORDER BY id"
        ).fetchall()
        found = []
        for row in rows:
            session = stored_session(self._connection, row["uid"])
            if session is not None:
                found.append((session, Supervisor(row["supervisor_pid"], row["supervisor_start"])))
        return found

    def seal_abandoned(self, session: Session) -> Session:
        """Close a session whose writer died. What came after its last event is not known, so it is not clean."""
        last = self._connection.execute("SELECT MAX(time_ns) FROM events WHERE session = ?", (session.uid,)).fetchone()
        outcome, reason = worst_outcome(self._connection, session.uid)
        if outcome.rank <= Outcome.UNKNOWN.rank:
            outcome, reason = Outcome.UNKNOWN, ABANDONED
        ended = dataclasses.replace(
            session,
            end_ns=session.end_ns or last[0] or session.start_ns,
            end_reason=session.end_reason or "guard-died",
            in_background=False,
            outcome=outcome,
            outcome_reason=reason,
        )
        self.seal(ended)
        return stored_session(self._connection, session.uid) or ended

    def _tail(self, session: str) -> Tail:
        known = self._tails.get(session)
        if known is not None:
            return known
        row = self._connection.execute(
            "SELECT seq, link FROM events WHERE session = ? ORDER BY seq DESC LIMIT 1", (session,)
        ).fetchone()
        return Tail(row["seq"], row["link"]) if row else Tail(0, chain.genesis(self._key, session))

    def _insert(self, connection: sqlite3.Connection, image: Image, link: str) -> None:
        values = image.columns | {"link": link}
        event = connection.execute(_INSERT_EVENT, [values[name] for name in EVENT_COLUMNS]).lastrowid
        connection.executemany(
            "INSERT INTO matches (event, session, fingerprint, public) VALUES (?, ?, ?, ?)",
            [(event, values["session"], found, int(public)) for found, public in image.fingerprints.items()],
        )

    def _write_session(self, session: Session) -> None:
        columns = session_columns(session)
        assignments = ", ".join(f"{name} = ?" for name in columns)
        changed = self._connection.execute(
            f"UPDATE sessions SET {assignments} WHERE uid = ? AND seal = ''",  # noqa: S608
            (*columns.values(), session.uid),
        )
        if changed.rowcount:
            self._write_coverage(session)

    def _write_coverage(self, session: Session) -> None:
        self._connection.execute("DELETE FROM coverage WHERE session = ?", (session.uid,))
        self._connection.executemany(
            "INSERT INTO coverage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [coverage_row(session.uid, position, one) for position, one in enumerate(session.coverage)],
        )

    def _register(self, kind: str, session: str, events: int, last_link: str) -> Head:
        entry = Entry(kind=kind, session=session, events=events, last_link=last_link)
        return append_entry(self._connection, self._key, entry)
