"""Reading single things back from an open connection: shared by writer, reader and verify."""

from __future__ import annotations

import json
import sqlite3

from agentguard.model.session import Coverage, Session
from agentguard.model.verdict import Outcome
from agentguard.record import chain
from agentguard.record.counting import session_counts
from agentguard.record.rows import coverage_from_row, session_from_row


def stored_session(connection: sqlite3.Connection, uid: str) -> Session | None:
    """With the counts of its events as they are now while it runs, and as they were sealed afterwards."""
    row = connection.execute("SELECT * FROM sessions WHERE uid = ?", (uid,)).fetchone()
    return session_of(connection, row) if row else None


def session_of(connection: sqlite3.Connection, row: sqlite3.Row, *, counted: bool = True) -> Session:
    """The session of a row of `sessions`; not `counted`, with the counts that stand in the row."""
    counts = None if row["seal"] or not counted else session_counts(connection, row["uid"])
    return session_from_row(row, stored_coverage(connection, row["uid"]), counts)


def stored_coverage(connection: sqlite3.Connection, uid: str) -> tuple[Coverage, ...]:
    rows = connection.execute("SELECT * FROM coverage WHERE session = ? ORDER BY position", (uid,))
    return tuple(coverage_from_row(row) for row in rows)


def processes_digest(connection: sqlite3.Connection, uid: str) -> str:
    """Fingerprint of the process tree kept beside a session's events."""
    rows = connection.execute("SELECT * FROM processes WHERE session = ? ORDER BY pid, start_time", (uid,))
    return chain.digest([list(row) for row in rows])


def worst_outcome(connection: sqlite3.Connection, uid: str) -> tuple[Outcome, str]:
    """Of all events of a session, and the reason of the first that came to it; "" when there is no event."""
    rows = connection.execute("SELECT outcome, MIN(seq), json FROM events WHERE session = ? GROUP BY outcome", (uid,))
    worst = max(rows, key=lambda row: Outcome(row["outcome"]).rank, default=None)
    return (Outcome(worst["outcome"]), json.loads(worst["json"])["reason"]) if worst else (Outcome.CLEAN, "")
