"""Old sessions go, and the record stays verifiable.

Of a purged session the register keeps what it was sealed with, and a row of its own that says so: chained with the
key, so that nobody else can make a session disappear. The purge row and the deletion are one transaction. Only a very
long session is taken out in several, so that a running one can write in between: its purge row comes first, and
whatever interrupts it, the next purge goes on with it.

The inventory of credentials is kept: that a key leaked does not grow old. `forget_credentials` takes out of it what
nobody has to think of any more.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from agentguard.config import Home
from agentguard.errors import StoreError
from agentguard.record.faults import describe
from agentguard.record.register import PURGE, Entry, Head, append_entry, note_head
from agentguard.record.transactions import immediate, writing

MOST_AT_ONCE = 5_000
"""Events in one transaction: some tenths of a second, in which a running session cannot write."""
_WORK_SECONDS, _PAUSE_SECONDS = 0.1, 0.03
"""How long to work between two pauses, and how long these are: who waits for the lock asks at least that often."""

_OLD = """
SELECT uid, start_ns, COALESCE(end_ns, start_ns) AS end_ns, register.events
FROM sessions JOIN register ON register.session = uid AND register.kind = 'seal'
WHERE seal <> '' AND (COALESCE(end_ns, start_ns) < :before
    OR uid IN (SELECT session FROM register WHERE kind = 'purge'))
ORDER BY sessions.id
"""
_OPEN = "SELECT COUNT(*) FROM sessions WHERE seal = '' AND start_ns < :before"
_CHUNK = "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE session = ? ORDER BY id LIMIT ?)"
_NOTED = "SELECT 1 FROM register WHERE session = ? AND kind = 'purge'"
_SEALED = "SELECT events, last_link FROM register WHERE session = ? AND kind = 'seal'"

_FORGOTTEN = """
SELECT fingerprint FROM credentials WHERE last_seen_ns < :before AND rotated_ns IS NULL
    AND fingerprint NOT IN (SELECT fingerprint FROM matches)
    AND fingerprint NOT IN
        (SELECT fingerprint FROM credential_uses WHERE outcome IN ('leaked', 'exposed') AND NOT blocked)
    AND fingerprint NOT IN (SELECT fingerprint FROM credential_places WHERE commit_id <> '')
"""
"""Seen last before then, and nothing is to be remembered of it: it never went where it should not be, it is in no
repository's history, and its old value is not watched for."""


@dataclass(frozen=True, slots=True)
class OldSession:
    """One to be purged."""

    uid: str
    start_ns: int
    end_ns: int
    events: int


@dataclass(frozen=True, slots=True)
class Purgeable:
    """What ended before a moment."""

    before_ns: int
    sessions: tuple[OldSession, ...]
    """Oldest first; those first that an interrupted purge has left."""
    still_open: int
    """Sessions that began before it and are not sealed: they run, or their guards died. They stay."""

    @property
    def events(self) -> int:
        return sum(one.events for one in self.sessions)


def purgeable(home: Home, before_ns: int) -> Purgeable:
    """Looks only.

    Raises:
        StoreError: the database cannot be read.
    """
    if not home.database.exists():
        return Purgeable(before_ns, (), 0)
    try:
        uri = f"file:{quote(os.fsencode(home.database))}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=5.0)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sessions'").fetchone():
                return Purgeable(before_ns, (), 0)
            values = {"before": before_ns}
            rows = connection.execute(_OLD, values).fetchall()
            (still_open,) = connection.execute(_OPEN, values).fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"cannot read database {home.database}: {describe(error)}") from None
    return Purgeable(before_ns, tuple(OldSession(*row) for row in rows), still_open)


def purge(home: Home, old: Purgeable, tell: Callable[[int], None]) -> None:
    """Take them out, one by one.

    Args:
        home: as made by `open_home`.
        tell: how many more events are gone, after each step.

    Raises:
        StoreError: the database cannot be written. What is done stands.
        ConfigError: the key of the chain cannot be read.
    """
    key, head = home.chain_key(), home.root / "register.head"
    with writing(home) as connection:
        pace = _Pace()
        for one in old.sessions:
            for events in _purge_one(connection, key, head, one.uid, old.before_ns):
                tell(events)
                pace.keep()
        _remove_reports(home, connection)
        with immediate(connection):
            connection.execute("DELETE FROM postures WHERE json = '' AND time_ns < ?", (old.before_ns,))


def forget_credentials(home: Home, before_ns: int) -> int:
    """Out of the inventory goes what was last seen before then, unless it leaked, is exposed, committed or marked as
    rotated, or a session that is kept used it. Returns how many.

    Raises:
        StoreError: the database cannot be written.
    """
    with writing(home) as connection, immediate(connection):
        found = connection.execute(_FORGOTTEN, {"before": before_ns}).fetchall()
        connection.executemany(
            "DELETE FROM credentials WHERE fingerprint = ?", [(row["fingerprint"],) for row in found]
        )
    return len(found)


def _purge_one(connection: sqlite3.Connection, key: bytes, head: Path, uid: str, before_ns: int) -> Iterator[int]:
    """The events that each transaction has removed. Everything else of the session goes with its row."""
    left, noted = True, None
    while left:
        with immediate(connection):
            noted = _note(connection, key, uid, before_ns) if noted is None else noted
            events = connection.execute(_CHUNK, (uid, MOST_AT_ONCE)).rowcount
            left = events == MOST_AT_ONCE
            if not left:
                connection.execute("DELETE FROM sessions WHERE uid = ?", (uid,))
        note_head(head, noted)
        yield events


def _note(connection: sqlite3.Connection, key: bytes, uid: str, before_ns: int) -> Head:
    """The register's newest row, which says that the session is purged; once."""
    if connection.execute(_NOTED, (uid,)).fetchone() is None:
        sealed = connection.execute(_SEALED, (uid,)).fetchone()
        if sealed is None:
            raise sqlite3.IntegrityError("no such seal")
        entry = Entry(
            kind=PURGE, session=uid, events=sealed["events"], last_link=sealed["last_link"], time_ns=before_ns
        )
        return append_entry(connection, key, entry)
    newest = connection.execute("SELECT id, hash FROM register ORDER BY id DESC LIMIT 1").fetchone()
    return newest["id"], newest["hash"]


def _remove_reports(home: Home, connection: sqlite3.Connection) -> None:
    """Of sessions that are purged, this time or before: a purge may have been interrupted just there."""
    purged = {row["session"] for row in connection.execute("SELECT session FROM register WHERE kind = 'purge'")}
    for path in home.reports.glob("*"):
        if path.stem in purged:
            with contextlib.suppress(OSError):
                path.unlink()


class _Pace:
    """Lets a running session write: SQLite gives the lock to whoever asks first, and we would ask again at once."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def keep(self) -> None:
        if time.monotonic() - self._since > _WORK_SECONDS:
            time.sleep(_PAUSE_SECONDS)
            self._since = time.monotonic()
