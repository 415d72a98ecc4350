"""Which sessions are open, whether their guards live, and which one ended last: without a look at their events."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from agentguard.errors import StoreError
from agentguard.model.session import Session
from agentguard.record.faults import describe
from agentguard.record.stored import session_of
from agentguard.record.supervisor import Supervisor, pid_alive

BUSY_SECONDS = 2.0

_OPEN = "SELECT * FROM sessions WHERE seal = '' ORDER BY start_ns DESC, id DESC"
_LAST = "SELECT * FROM sessions WHERE seal <> '' ORDER BY end_ns DESC, id DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One that is not sealed."""

    session: Session
    """Its outcome is the one so far; its counts are not kept up to date."""
    guarded: bool
    """Its guard lives. Else it died, and the next `run` or `watch` seals the session."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with the sessions of a database."""

    open: tuple[OpenSession, ...] = ()
    """Newest first."""
    last: Session | None = None
    """The sealed session that ended last."""


def standing(database: Path, is_alive: Callable[[int], bool] = pid_alive) -> Standing:
    """Of a database that is missing or empty, that there is no session.

    Raises:
        StoreError: it cannot be read.
    """
    if not database.exists():
        return Standing()
    try:
        uri = f"file:{quote(os.fsencode(database))}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as connection:
            connection.row_factory = sqlite3.Row
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sessions'").fetchone():
                return Standing()
            return _standing(connection, is_alive)
    except sqlite3.Error as error:
        raise StoreError(f"cannot read database {database}: {describe(error)}") from None


def open_sessions(connection: sqlite3.Connection, is_alive: Callable[[int], bool] = pid_alive) -> list[OpenSession]:
    """Newest first, through a connection whose rows have names."""
    return [
        OpenSession(
            session_of(connection, row, counted=False),
            Supervisor(row["supervisor_pid"], row["supervisor_start"]).alive(is_alive),
        )
        for row in connection.execute(_OPEN).fetchall()
    ]


def _standing(connection: sqlite3.Connection, is_alive: Callable[[int], bool]) -> Standing:
    last = connection.execute(_LAST).fetchone()
    return Standing(tuple(open_sessions(connection, is_alive)), session_of(connection, last) if last else None)
