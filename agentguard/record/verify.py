"""Check the record: every chain, every seal, and the register that ties the sessions to each other."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from agentguard.config import Home
from agentguard.errors import StoreError
from agentguard.record import chain
from agentguard.record.counting import session_counts
from agentguard.record.credentials import stored_uses, uses_in_events
from agentguard.record.faults import describe
from agentguard.record.known import HAS_INVENTORY
from agentguard.record.register import PURGE, SEAL, START, Entry, entry_of
from agentguard.record.rows import image_of, sealed_body
from agentguard.record.stored import processes_digest, stored_session


@dataclass(frozen=True, slots=True)
class Problem:
    """One place where the record is not what was written."""

    session: str
    """uid; "" for the register as a whole."""
    seq: int
    """Of the event; 0 when it is not about one event."""
    what: str
    """In plain words."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked, and what is wrong."""

    sessions: int
    events: int
    unsealed: tuple[str, ...]
    """uids of sessions that run, or whose guard died: their events are chained, their end is open."""
    problems: tuple[Problem, ...]
    purged: int = 0
    """Sessions that the register says were purged."""
    purged_before_ns: int | None = None
    """They all ended before this moment, ns since the epoch."""
    half_purged: tuple[str, ...] = ()
    """uids of those of which an interrupted purge has left something: what is left is not checked."""


def verify(home: Home, session: str | None = None) -> Verification:
    """Check all sessions and the register, or one session (uid) only.

    Raises:
        StoreError: the database cannot be read. A missing one is an empty record, unless a head is left of it.
        ConfigError: the key cannot be read.
    """
    if not home.database.exists():
        gone = [Problem("", 0, "the database is missing")] if _noted_head(home) else []
        return Verification(0, 0, (), tuple(gone))
    if not (home.root / "chain.key").exists():
        # Reading it would make a new one, and every event would look forged.
        return Verification(0, 0, (), (Problem("", 0, "the key of the chain (chain.key) is missing"),))
    try:
        connection = sqlite3.connect(f"file:{quote(os.fsencode(home.database))}?mode=ro", uri=True, timeout=5.0)
        try:
            connection.row_factory = sqlite3.Row
            # One snapshot: what is written meanwhile must not look like a fault.
            head = _noted_head(home)
            connection.execute("BEGIN")
            return _verify(connection, home.chain_key(), head, session)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreError(f"cannot read database {home.database}: {describe(error)}") from None


def _verify(connection: sqlite3.Connection, key: bytes, head: tuple[int, str] | None, only: str | None) -> Verification:
    problems: list[Problem] = []
    unsealed = []
    events = 0
    rows = connection.execute("SELECT uid, seal FROM sessions ORDER BY id").fetchall()
    purges = _purges(connection)
    half = tuple(row["uid"] for row in rows if row["uid"] in purges)
    chosen = [row for row in rows if only in (None, row["uid"]) and row["uid"] not in half]
    for row in chosen:
        tail = _Walk(key, row["uid"])
        problems += tail.walk(connection)
        events += tail.events
        if row["seal"]:
            problems += _check_seal(connection, key, tail, row["seal"])
        else:
            unsealed.append(row["uid"])
    problems += _check_inventory(connection, only, half)
    if only is None:
        problems += _check_register(connection, key, head)
        problems += _check_strays(connection)
    return Verification(
        sessions=len(chosen),
        events=events,
        unsealed=tuple(unsealed),
        problems=tuple(problems),
        purged=len(purges.keys() - set(half)),
        purged_before_ns=max((one.time_ns or 0 for one in purges.values()), default=None),
        half_purged=half,
    )


def _purges(connection: sqlite3.Connection) -> dict[str, Entry]:
    """What the register says was purged, by uid of the session. Whether it may say so is checked with the register."""
    rows = connection.execute("SELECT * FROM register WHERE kind = 'purge'")
    return {row["session"]: entry_of(row) for row in rows}


class _Walk:
    """Along one session's chain."""

    def __init__(self, key: bytes, session: str) -> None:
        self._key = key
        self.session = session
        self.link = chain.genesis(key, session)
        self.events = 0
        self._seq = 0

    def walk(self, connection: sqlite3.Connection) -> Iterator[Problem]:
        rows = connection.execute("SELECT * FROM events WHERE session = ? ORDER BY seq", (self.session,))
        for row in rows:
            self.events += 1
            problem = self._check(connection, row)
            if problem:
                yield Problem(self.session, row["seq"], problem)

    def _check(self, connection: sqlite3.Connection, row: sqlite3.Row) -> str:
        """Goes on from the stored link, so that one edit is one problem."""
        expected = chain.link(self._key, self.link, row["json"].encode("utf-8"))
        hole = row["seq"] != self._seq + 1
        missing = f"{row['seq'] - self._seq - 1} event(s) before it are missing"
        self.link, self._seq = row["link"], row["seq"]
        if hole:
            return missing
        if not chain.same(expected, row["link"]):
            return "it was changed, or its place in the chain was"
        return _check_columns(connection, row)


def _check_columns(connection: sqlite3.Connection, row: sqlite3.Row) -> str:
    """The columns that lists and searches use must say what the chained object says."""
    try:
        image = image_of(row["json"].encode("utf-8"))
    except (ValueError, KeyError, TypeError):
        return "it is not an event"
    if any(row[name] != value for name, value in image.columns.items()):
        return "a column of its row was changed"
    rows = connection.execute("SELECT fingerprint, public FROM matches WHERE event = ?", (row["id"],))
    stored = {fingerprint: bool(public) for fingerprint, public in rows}
    return "" if stored == image.fingerprints else "its list of credentials was changed"


def _check_seal(connection: sqlite3.Connection, key: bytes, tail: _Walk, seal: str) -> Iterator[Problem]:
    try:
        session = stored_session(connection, tail.session)
    except (ValueError, TypeError):
        session = None
    if session is None:
        yield Problem(tail.session, 0, "the session's row is damaged")
        return
    entry = connection.execute(
        "SELECT events, last_link FROM register WHERE session = ? AND kind = 'seal'", (tail.session,)
    ).fetchone()
    if entry is None or not chain.same(entry["last_link"], seal):
        yield Problem(tail.session, 0, "its seal is not the one in the register")
    elif entry["events"] != tail.events:
        yield Problem(tail.session, 0, f"it was sealed with {entry['events']} events and now has {tail.events}")
        return
    body = sealed_body(session, tail.events, processes_digest(connection, tail.session))
    if not chain.same(chain.link(key, tail.link, body), seal):
        yield Problem(tail.session, 0, "its seal does not fit: its row, its process tree or its last event was changed")
    elif session.counts != session_counts(connection, tail.session):
        yield Problem(tail.session, 0, "its counts do not fit its events")


def _check_inventory(connection: sqlite3.Connection, only: str | None, half: Sequence[str]) -> Iterator[Problem]:
    """It must say what the events say: a key that leaked may not look as if it never did. Uses of a session that was
    purged are all that is left of it."""
    if not connection.execute(HAS_INVENTORY).fetchone():
        return
    there = {row["uid"] for row in connection.execute("SELECT uid FROM sessions")} - set(half)
    try:
        wrong = Counter(str(use[-1]) for use in uses_in_events(connection, only) ^ stored_uses(connection, only))
    except (ValueError, KeyError, TypeError, AttributeError):
        return  # an event that is none: the walk has said so
    for uid in sorted(there & wrong.keys()):
        yield Problem(uid, 0, f"the inventory of credentials differs from its events in {wrong[uid]} row(s)")


def _check_register(connection: sqlite3.Connection, key: bytes, head: tuple[int, str] | None) -> Iterator[Problem]:
    previous, last = chain.REGISTER_ROOT, 0
    known = {row["uid"]: row["seal"] for row in connection.execute("SELECT uid, seal FROM sessions")}
    purges, seals = _purges(connection), dict[str, Entry]()
    registered = set()
    noted = False
    for row in connection.execute("SELECT * FROM register ORDER BY id"):
        entry = entry_of(row)
        if row["id"] != last + 1:
            yield Problem("", 0, f"the register misses {row['id'] - last - 1} row(s) before row {row['id']}")
        elif not chain.same(chain.register_hash(key, previous, entry.body), row["hash"]):
            yield Problem(row["session"], 0, f"row {row['id']} of the register was changed")
        previous, last = row["hash"], row["id"]
        noted = noted or head == (row["id"], row["hash"])
        if entry.kind == START and entry.session not in known.keys() | purges.keys():
            yield Problem(entry.session, 0, "the session was removed")
        if entry.kind == SEAL and known.get(entry.session) == "":
            yield Problem(entry.session, 0, "its seal was removed")
        if entry.kind == SEAL:
            seals[entry.session] = entry
        if entry.kind == PURGE and not _fits(entry, seals.get(entry.session)):
            yield Problem(entry.session, 0, "it was purged, and not as it was sealed")
        registered.add(row["session"])
    for uid in known.keys() - registered:
        yield Problem(uid, 0, "the session is not in the register")
    if not noted and (last or head):
        yield Problem("", 0, "the end of the register is missing, or the database is an older copy")


def _fits(purge: Entry, seal: Entry | None) -> bool:
    return seal is not None and purge.events == seal.events and chain.same(purge.last_link, seal.last_link)


def _check_strays(connection: sqlite3.Connection) -> Iterator[Problem]:
    """Events of no session: its row was removed by hand."""
    rows = connection.execute(
        "SELECT session, COUNT(*) FROM events WHERE session NOT IN (SELECT uid FROM sessions) GROUP BY session"
    )
    for uid, count in rows:
        yield Problem(uid, 0, f"{count} event(s) belong to a session that is not there")


def _noted_head(home: Home) -> tuple[int, str] | None:
    """The newest row of the register as it was noted beside the database; None when nothing is noted."""
    try:
        number, _, value = (home.root / "register.head").read_text(encoding="ascii").strip().partition(" ")
        return int(number), value
    except (OSError, ValueError):
        return None
