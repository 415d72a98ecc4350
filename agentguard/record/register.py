"""The register: a chain over the starts, the seals and the purges of all sessions, so that a missing one shows."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentguard.record import chain

START, SEAL, PURGE = "start", "seal", "purge"

Head = tuple[int, str]
"""Number and hash of the newest row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a row says."""

    kind: str
    session: str
    """uid"""
    events: int
    last_link: str
    """`start`: what the chain stands on. `seal` and `purge`: the seal."""
    time_ns: int | None = None
    """`purge`: what ended before this moment was purged, ns since the epoch."""

    @property
    def body(self) -> dict[str, Any]:
        """What is hashed. Rows of before there were purges had no time, and still hold."""
        said: dict[str, Any] = {"kind": self.kind, "session": self.session, "events": self.events}
        said["last_link"] = self.last_link
        return said if self.time_ns is None else said | {"time_ns": self.time_ns}


def entry_of(row: sqlite3.Row) -> Entry:
    """A row that was read."""
    return Entry(
        kind=row["kind"],
        session=row["session"],
        events=row["events"],
        last_link=row["last_link"],
        time_ns=row["time_ns"] if "time_ns" in row.keys() else None,  # noqa: SIM118 - a row is no mapping
    )


def append_entry(connection: sqlite3.Connection, key: bytes, entry: Entry) -> Head:
    """In the transaction of the caller. Raises sqlite3.Error."""
    row = connection.execute("SELECT id, hash FROM register ORDER BY id DESC LIMIT 1").fetchone()
    found = chain.register_hash(key, row["hash"] if row else chain.REGISTER_ROOT, entry.body)
    cursor = connection.execute(
        "INSERT INTO register (kind, session, events, last_link, time_ns, hash) VALUES (?, ?, ?, ?, ?, ?)",
        (entry.kind, entry.session, entry.events, entry.last_link, entry.time_ns, found),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid, found


def note_head(path: Path, head: Head) -> None:
    """Beside the database, so that an older copy of it shows. Best effort: a head that lags is still true."""
    aside = path.with_name(f".{path.name}.{time.time_ns()}")
    with contextlib.suppress(OSError):
        aside.write_text(f"{head[0]} {head[1]}\n", encoding="ascii")
        aside.replace(path)
