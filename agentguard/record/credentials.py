"""The inventory of credentials: three tables that follow from the events, and from what scans and checks found.

They are brought up to date in the transaction that records the events, so that `agentguard keys` never walks the
events. One row stands for each credential, for each place of it, and for each way in which one agent used it in one
session: a million reads of a file are one row. All merging of what is new with what is known is in the SQL below, so
the writer, the migration of an old database and `verify` cannot come to different results.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from agentguard.model.at_rest import Commit
from agentguard.model.credential import CredentialPlace, FoundBy
from agentguard.model.secret import SecretMatch
from agentguard.model.unicode import valid_text
from agentguard.model.verdict import Disposition, Outcome

TABLES = """
CREATE TABLE credentials (
    fingerprint TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    name TEXT NOT NULL,
    preview TEXT NOT NULL,
    public INTEGER NOT NULL,
    issuer_hosts TEXT NOT NULL,
    first_seen_ns INTEGER NOT NULL,
    last_seen_ns INTEGER NOT NULL,
    rotated_ns INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE credential_places (
    fingerprint TEXT NOT NULL REFERENCES credentials(fingerprint) ON DELETE CASCADE,
    path TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    found_by TEXT NOT NULL,
    line INTEGER NOT NULL,
    commit_ns INTEGER NOT NULL,
    first_seen_ns INTEGER NOT NULL,
    last_seen_ns INTEGER NOT NULL,
    gone_ns INTEGER,
    PRIMARY KEY (fingerprint, path, commit_id, found_by)
) STRICT, WITHOUT ROWID;
CREATE INDEX credential_places_found ON credential_places (found_by, path);
CREATE TABLE credential_uses (
    fingerprint TEXT NOT NULL REFERENCES credentials(fingerprint) ON DELETE CASCADE,
    session TEXT NOT NULL,
    agent TEXT NOT NULL,
    way TEXT NOT NULL,
    host TEXT NOT NULL,
    outcome TEXT NOT NULL,
    blocked INTEGER NOT NULL,
    count INTEGER NOT NULL,
    first_ns INTEGER NOT NULL,
    last_ns INTEGER NOT NULL,
    process TEXT NOT NULL,
    PRIMARY KEY (fingerprint, session, agent, way, host, outcome, blocked)
) STRICT, WITHOUT ROWID;
CREATE INDEX credential_uses_session ON credential_uses (session);
"""
"""A use stays when its session is purged: that a key leaked does not grow old."""

_NOTE_CREDENTIAL = """
INSERT INTO credentials (fingerprint, type, name, preview, public, issuer_hosts, first_seen_ns, last_seen_ns)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    type = CASE credentials.type WHEN 'known-value' THEN excluded.type ELSE credentials.type END,
    name = CASE credentials.name WHEN '' THEN excluded.name ELSE credentials.name END,
    public = MAX(credentials.public, excluded.public),
    issuer_hosts = CASE credentials.issuer_hosts WHEN '[]' THEN excluded.issuer_hosts
        ELSE credentials.issuer_hosts END,
    first_seen_ns = MIN(credentials.first_seen_ns, excluded.first_seen_ns),
    last_seen_ns = MAX(credentials.last_seen_ns, excluded.last_seen_ns)
"""
"""A recognised type says more than a followed value, a name more than none."""

_NOTE_PLACE = """
INSERT INTO credential_places (fingerprint, path, found_by, line, commit_id, commit_ns, first_seen_ns, last_seen_ns)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    line = excluded.line,
    first_seen_ns = MIN(credential_places.first_seen_ns, excluded.first_seen_ns),
    last_seen_ns = MAX(credential_places.last_seen_ns, excluded.last_seen_ns),
    gone_ns = NULL
"""

_NOTE_SOURCE = """
INSERT INTO credential_places (fingerprint, path, found_by, line, commit_id, commit_ns, first_seen_ns, last_seen_ns)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET first_seen_ns = MIN(credential_places.first_seen_ns, excluded.first_seen_ns)
"""
"""A value that is sent is known from a file, which may hold another one by now: that it does is not seen."""

_NOTE_GONE = """
UPDATE credential_places SET gone_ns = ?1
WHERE found_by = 'session' AND path = ?2 AND gone_ns IS NULL AND last_seen_ns < ?1
    AND fingerprint NOT IN (SELECT value FROM json_each(?3))
"""
"""Who reads a file gets all that it holds: what was there before and is not among it was replaced."""

_NOTE_USE = """
INSERT INTO credential_uses
    (fingerprint, session, agent, way, host, outcome, blocked, process, count, first_ns, last_ns)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    count = credential_uses.count + excluded.count,
    first_ns = MIN(credential_uses.first_ns, excluded.first_ns),
    last_ns = MAX(credential_uses.last_ns, excluded.last_ns),
    process = CASE WHEN (excluded.last_ns, excluded.process) > (credential_uses.last_ns, credential_uses.process)
        THEN excluded.process ELSE credential_uses.process END
"""

_LAST_DATE = 9_223_372_036.0
"""What 64 bits of nanoseconds hold, s since the epoch (the year 2262): a commit may bear any date."""
PAGE_EVENTS = 1_000
"""Events in memory while all of them are walked."""
_OF_PROCESSES = "/proc/"
"""A process's environment is gone with it: no place to look for a key."""

EventObject = dict[str, Any]
"""The public object of an event, as it is kept: its text is valid, its time in microseconds."""
_Key = tuple[str | int, ...]


class _Rows:
    """Rows of one table that are alike but for their times are one row: a burst of reads is written once."""

    def __init__(self) -> None:
        self._times: dict[_Key, tuple[int, int, int]] = {}

    def add(self, key: _Key, first_ns: int, last_ns: int, times: int = 1) -> None:
        count, first, last = self._times.get(key, (0, first_ns, last_ns))
        self._times[key] = (count + times, min(first, first_ns), max(last, last_ns))

    def counted(self) -> list[_Key]:
        """(*key, count, first, last)"""
        return [(*key, *times) for key, times in self._times.items()]

    def seen(self) -> list[_Key]:
        """(*key, first, last)"""
        return [(*key, *times[1:]) for key, times in self._times.items()]

    def heard_of(self) -> list[_Key]:
        """(*key, first, first)"""
        return [(*key, first, first) for key, (_, first, _) in self._times.items()]


class Notes:
    """What is on its way into the three tables."""

    def __init__(self) -> None:
        self._credentials = _Rows()
        self._sources = _Rows()
        self._places = _Rows()
        self._reads: dict[str, list[tuple[int, frozenset[str]]]] = {}
        """By path: what it was seen to hold, the first and the last time of each run of looks that saw the same."""
        self._uses = _Rows()

    def place(self, match: SecretMatch, place: CredentialPlace) -> None:
        """It lies there."""
        self._credential(match, place.first_seen_ns, place.last_seen_ns)
        _add_place(self._places, match.fingerprint, place)

    def event(self, event: EventObject, *, times: int = 1, last_ns: int = 0) -> None:
        """What the event says of each of its credentials; `times` it happened, the last time at `last_ns`."""
        from agentguard.model.event import match_from_json, parse_time  # noqa: PLC0415 (a scan notes no events)
        from agentguard.model.fault import guilty  # noqa: PLC0415
        from agentguard.model.finding import Kind  # noqa: PLC0415

        first_ns, host = parse_time(event["time"]), event["host"] or ""
        last_ns = max(last_ns, first_ns)
        matches = tuple(map(match_from_json, event["matches"]))
        outcome = Outcome(event["outcome"])
        blamed = {match.fingerprint for match in guilty(matches, host, outcome)}
        blocked = int(event["disposition"] == Disposition.BLOCKED)
        process = event["process"]["name"] if event["process"] else ""
        each = {match.fingerprint: match for match in matches}
        read = event["kind"] == Kind.FILE
        if read and each:
            self._read(event["path"] or "", first_ns, frozenset(each))
        for match in each.values():
            self._credential(match, first_ns, last_ns)
            path = event["path"] if read else match.source_path
            if path and not path.startswith(_OF_PROCESSES):
                place = seen_at(path, FoundBy.SESSION, first_ns)
                _add_place(self._places if read else self._sources, match.fingerprint, place)
            became = outcome if match.fingerprint in blamed else Outcome.CLEAN
            who = (match.fingerprint, event["session"], event["agent"], event["activity"])
            self._uses.add((*who, host, became.value, blocked, process), first_ns, last_ns, times)

    def _credential(self, match: SecretMatch, first_ns: int, last_ns: int) -> None:
        hosts = json.dumps(match.issuer_hosts)
        facts = (match.type, valid_text(match.own_name), match.preview, int(match.public), hosts)
        self._credentials.add((match.fingerprint, *facts), first_ns, last_ns)

    def _read(self, path: str, time_ns: int, held: frozenset[str]) -> None:
        reads = self._reads.setdefault(path, [])
        if len(reads) > 1 and reads[-1][1] == reads[-2][1] == held:
            reads.pop()
        reads.append((time_ns, held))

    def write(self, connection: sqlite3.Connection) -> None:
        """Into the tables; the caller holds the transaction."""
        gone = [(at, path, json.dumps(sorted(held))) for path, reads in self._reads.items() for at, held in reads]
        connection.executemany(_NOTE_CREDENTIAL, self._credentials.seen())
        connection.executemany(_NOTE_PLACE, self._places.seen())
        connection.executemany(_NOTE_SOURCE, self._sources.heard_of())
        connection.executemany(_NOTE_GONE, gone)
        connection.executemany(_NOTE_USE, self._uses.counted())


def _add_place(rows: _Rows, fingerprint: str, place: CredentialPlace) -> None:
    where = (fingerprint, valid_text(place.path), place.found_by.value)
    rows.add((*where, place.line, place.commit, place.commit_ns), place.first_seen_ns, place.last_seen_ns)


def seen_at(path: str, found_by: FoundBy, time_ns: int, line: int = 0, commit: Commit | None = None) -> CredentialPlace:
    """A place as it was seen once; `path` is absolute."""
    return CredentialPlace(
        path=path,
        found_by=found_by,
        line=line,
        commit=commit.id if commit else "",
        commit_ns=round(max(0.0, min(commit.time, _LAST_DATE)) * 1e9) if commit else 0,
        first_seen_ns=time_ns,
        last_seen_ns=time_ns,
    )


def note_events(
    connection: sqlite3.Connection, events: Iterable[EventObject], *, into: sqlite3.Connection | None = None
) -> None:
    """Bring the inventory up to date with events that `connection` holds; `into` has the tables, where not it itself.

    A count of repetitions names no credential: those of the event that it repeats are meant.
    """
    from agentguard.model.event import parse_time  # noqa: PLC0415
    from agentguard.model.finding import Activity  # noqa: PLC0415

    notes = Notes()
    for event in events:
        if event["activity"] != Activity.REPEAT:
            notes.event(event)
            continue
        first = connection.execute("SELECT json FROM events WHERE uid = ?", (event["repeats"],)).fetchone()
        if first is not None:
            notes.event(json.loads(first[0]), times=event["count"], last_ns=parse_time(event["time"]))
    notes.write(into or connection)


def pages_with_credentials(connection: sqlite3.Connection, session: str | None = None) -> Iterator[list[EventObject]]:
    """All that the inventory follows from, of one session (uid) or of all, in the order in which it was recorded."""
    rows = connection.execute(
        "SELECT json FROM events WHERE (activity = 'repeat' OR id IN (SELECT event FROM matches)) "
        "AND (?1 IS NULL OR session = ?1) ORDER BY id",
        (session,),
    )
    while page := rows.fetchmany(PAGE_EVENTS):
        yield [json.loads(row[0]) for row in page]


def uses_in_events(connection: sqlite3.Connection, session: str | None = None) -> set[_Key]:
    """The rows of `credential_uses` as they must be, worked out again from the events of one session or of all."""
    worked_out = sqlite3.connect(":memory:")
    try:
        worked_out.executescript(TABLES)
        for page in pages_with_credentials(connection, session):
            note_events(connection, page, into=worked_out)
        return stored_uses(worked_out, session)
    finally:
        worked_out.close()


def stored_uses(connection: sqlite3.Connection, session: str | None = None) -> set[_Key]:
    """The rows of `credential_uses`, of one session or of all; the last column is the session."""
    rows = connection.execute(
        "SELECT fingerprint, agent, way, host, outcome, blocked, count, first_ns, last_ns, process, session "
        "FROM credential_uses WHERE ?1 IS NULL OR session = ?1",
        (session,),
    )
    return set(map(tuple, rows))
