"""The one read path: dashboard, report, summary and verbs all ask here. Never writes."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from agentguard.errors import StoreError
from agentguard.model.access import AccessHistory
from agentguard.model.credential import KnownCredential
from agentguard.model.event import Event, event_from_json
from agentguard.model.posture import Posture
from agentguard.model.session import Session
from agentguard.model.verdict import Outcome
from agentguard.record.known import (
    ALL,
    BEGINNING,
    HABITS,
    HAS_INVENTORY,
    OF_SESSION,
    ONE,
    REAL,
    ROTATED,
    SEEN_BEFORE,
    STARTS,
    Choice,
    credentials_from_rows,
    histories_from_rows,
)
from agentguard.record.postures import AROUND, EARLIER, HAS_POSTURES, comparable, posture_from_rows
from agentguard.record.queries import EventQuery, Narrow, count_sql, ids_sql, values_sql
from agentguard.record.read_only import ReadOnly
from agentguard.record.stored import session_of
from agentguard.record.tallies import FILES, GRAVE_STEPS, HOSTS, MOST, REPEATED, Tallies, tallies_from_rows
from agentguard.record.terms import Compare, Field, Layout, Mark, Marked, Term, bindable

__all__ = [
    "Bucket",
    "Compare",
    "EventQuery",
    "Field",
    "KnownProcess",
    "Mark",
    "Marked",
    "Reader",
    "Row",
    "Tallies",
    "Term",
]

_OPTIONAL_TABLES = "SELECT name FROM sqlite_master WHERE name IN ('events_fts', 'credentials', 'triage')"
"""An older version's database lacks some, and an SQLite without FTS5 makes no search index."""
LAST = "last"


@dataclass(frozen=True, slots=True)
class Row:
    """An event with its place among all events of the database; ids only grow."""

    id: int
    event: Event


@dataclass(frozen=True, slots=True)
class Bucket:
    """One step of a timeline."""

    start_ns: int
    reads: int = 0
    sends: int = 0
    flows: int = 0
    gaps: int = 0


@dataclass(frozen=True, slots=True)
class KnownProcess:
    """A process of a session's tree, as it last was. Redacted."""

    pid: int
    parent_pid: int
    """0 when unknown."""
    start_time: int
    name: str
    exe: str
    cmdline: tuple[str, ...]
    first_seen_ns: int


class Reader(ReadOnly):
    """What can be asked of the database. Every method may raise `StoreError`."""

    def sessions(self, limit: int | None = None, *, counted: bool = True) -> list[Session]:
        """Newest first. `counted=False` leaves out the counts of those that run: they cost a look at every event."""
        rows = self._rows("SELECT * FROM sessions ORDER BY start_ns DESC, id DESC LIMIT ?", [_bound(limit)])
        return [self._session(row, counted=counted) for row in rows]

    def session(self, name: str) -> Session | None:
        """By uid, by a unique beginning of it, or `last` for the newest. None when there is none."""
        if name == LAST:
            return next(iter(self.sessions(1)), None)
        rows = self._rows("SELECT * FROM sessions WHERE uid = ?", [bindable(name)])
        if not rows and name:
            rows = self._rows("SELECT * FROM sessions WHERE instr(uid, ?) = 1", [bindable(name)])
        if len(rows) > 1:
            raise StoreError(f"{len(rows)} sessions begin with {name!r}; give more of the uid")
        return self._session(rows[0]) if rows else None

    def events(self, session: str | None = None, **narrow: Unpack[Narrow]) -> list[Event]:
        """One page of events, oldest first unless `newest_first`. Paging is by row id: see `rows`."""
        return [row.event for row in self.rows(EventQuery(session=session, **narrow))]

    def rows(self, query: EventQuery) -> list[Row]:
        """One page of events, each with its row id."""
        select, values = ids_sql(query, self._layout())
        order = "DESC" if query.newest_first else "ASC"
        sql = f"SELECT id, json FROM events WHERE id IN ({select}) ORDER BY id {order}"  # noqa: S608
        return [_row(row) for row in self._rows(sql, values)]

    def event_ids(self, query: EventQuery) -> list[int]:
        """Row ids of one page, without the events."""
        return [row[0] for row in self._rows(*ids_sql(query, self._layout()))]

    def events_by_id(self, ids: Sequence[int]) -> list[Event]:
        """In the order of `ids`; an id that is gone is left out."""
        marks = json.dumps(list(ids))
        rows = self._rows("SELECT id, json FROM events WHERE id IN (SELECT value FROM json_each(?))", [marks])
        found = {row["id"]: event_from_json(json.loads(row["json"])) for row in rows}
        return [found[one] for one in ids if one in found]

    def count_events(self, session: str | None = None, **narrow: Unpack[Narrow]) -> int:
        """How many events match, whatever the page."""
        return self.count(EventQuery(session=session, **narrow))

    def count(self, query: EventQuery) -> int:
        """As `count_events`."""
        rows = self._rows(*count_sql(query.all_matching(), self._layout()))
        return int(rows[0][0]) if rows else 0

    def event(self, uid: str) -> Event | None:
        rows = self._rows("SELECT id, json FROM events WHERE uid = ?", [bindable(uid)])
        return _row(rows[0]).event if rows else None

    def last_id(self) -> int:
        """Row id of the newest event; 0 when there is none."""
        rows = self._rows("SELECT MAX(id) FROM events", [])
        return int(rows[0][0] or 0) if rows else 0

    def flows(
        self, session: str, limit: int | None = None, *, gravest_first: bool = False
    ) -> list[tuple[Event, Event | None]]:
        """(send, what read or inherited the value), oldest or gravest first. The read is None when it is gone."""
        order = "severity DESC, id" if gravest_first else "id"
        sql = (
            "SELECT sent.id, sent.json, source.json AS read_json FROM "  # noqa: S608 - `order` is one of two of ours
            "(SELECT id FROM events INDEXED BY events_flow WHERE session = ? AND flow_read IS NOT NULL "
            f"ORDER BY {order} LIMIT ?) AS page JOIN events AS sent ON sent.id = page.id "
            "LEFT JOIN events AS source ON source.uid = sent.flow_read"
        )
        found = [
            (_row(row).event, event_from_json(json.loads(row["read_json"])) if row["read_json"] else None)
            for row in self._rows(sql, [bindable(session), _bound(limit)])
        ]
        return sorted(found, key=lambda flow: -flow[0].verdict.severity.rank if gravest_first else flow[0].seq)

    def sends_of(self, session: str, read: str, limit: int | None = None) -> list[Event]:
        """The sends of a session whose flow began at the event with uid `read`, oldest first. For the dashboard."""
        sql = "SELECT id, json FROM events WHERE session = ? AND flow_read = ? ORDER BY id LIMIT ?"
        return [_row(row).event for row in self._rows(sql, [bindable(session), bindable(read), _bound(limit)])]

    def has_inventory(self) -> bool:
        """Whether there are credentials to be read: a database that only an older version wrote to has none."""
        return bool(self._rows(HAS_INVENTORY, []))

    def credentials(self, session: str | None = None, *, made_up: bool = False) -> list[KnownCredential]:
        """The inventory, oldest first: every credential; or those that a session (uid) used, and its uses alone.

        What `demo` made up is left out, unless it is wanted (`made_up`) or its session is asked for.
        """
        if session is not None:
            return self._known(OF_SESSION, session)
        return self._known(ALL if made_up else REAL, "")

    def credential(self, name: str) -> KnownCredential | None:
        """By its fingerprint, or a unique beginning of it. None when there is none."""
        found = self._rows(BEGINNING, {"value": bindable(name)}) if name and self.has_inventory() else []
        if len(found) > 1:
            raise StoreError(f"{len(found)} credentials begin with {name!r}; give more of the fingerprint")
        return next(iter(self._known(ONE, found[0]["fingerprint"])), None) if found else None

    def rotated(self) -> tuple[str, ...]:
        """Fingerprints of the credentials marked as rotated."""
        rows = self._rows(ROTATED, []) if self.has_inventory() else []
        return tuple(row["fingerprint"] for row in rows)

    def access_histories(self, session: str, start_ns: int) -> dict[str, AccessHistory]:
        """What a session's accesses are compared with: of each credential known before it began, by fingerprint."""
        if not self.has_inventory():
            return {}
        values = {"session": bindable(session), "start": start_ns}
        return histories_from_rows(*(self._rows(sql, values) for sql in (SEEN_BEFORE, HABITS, STARTS)))

    def earlier_posture(self, posture: Posture) -> Posture | None:
        """The last complete look that this one may be compared with."""
        if not self._rows(HAS_POSTURES, []):
            return None
        return posture_from_rows(self._rows(EARLIER, comparable(posture)))

    def posture(self, folder: str) -> Posture | None:
        """What the newest `check` of a folder found, or of the nearest one around it that was looked at."""
        if not self._rows(HAS_POSTURES, []):
            return None
        return posture_from_rows(self._rows(AROUND, [bindable(folder)]))

    def marked(self, event: str) -> Marked | None:
        """What a person said of the event with this uid."""
        if not self._layout().triage:
            return None
        rows = self._rows("SELECT * FROM triage WHERE event = (SELECT id FROM events WHERE uid = ?)", [bindable(event)])
        return Marked(Mark(rows[0]["mark"]), rows[0]["rule"], rows[0]["time_ns"]) if rows else None

    def timeline(
        self, session: str, buckets: int, start_ns: int | None = None, end_ns: int | None = None
    ) -> list[Bucket]:
        """Counts in `buckets` equal steps, from the session's start to its end (or its last event)."""
        bounds = self._rows(
            "SELECT start_ns, MAX(start_ns, COALESCE(end_ns, 0), COALESCE((SELECT MAX(time_ns) FROM events "
            "WHERE events.session = sessions.uid), 0)) AS end_ns FROM sessions WHERE uid = ?",
            [bindable(session)],
        )
        if not bounds or buckets < 1:
            return []
        start = bounds[0]["start_ns"] if start_ns is None else start_ns
        end = max(bounds[0]["end_ns"] if end_ns is None else end_ns, start + buckets)
        width = -(-(end - start + 1) // buckets)
        rows = self._rows(
            "SELECT (time_ns - ?) / ? AS step, SUM(kind = 'file' AND activity = 'read') AS reads, "
            "SUM(activity = 'send') AS sends, COUNT(flow_read) AS flows, SUM(kind = 'gap') AS gaps "
            "FROM events INDEXED BY events_time WHERE session = ? AND time_ns BETWEEN ? AND ? GROUP BY step",
            [start, width, bindable(session), start, end],
        )
        counted = {row["step"]: tuple(row)[1:] for row in rows}
        return [Bucket(start + step * width, *counted.get(step, ())) for step in range(buckets)]

    def grave_steps(self, session: str, start_ns: int, width_ns: int) -> list[tuple[int, Outcome]]:
        """The steps of a timeline in which a credential leaked or was exposed: when each begins, and which of both."""
        rows = self._rows(GRAVE_STEPS, [start_ns, width_ns, bindable(session)])
        return [(row["start_ns"], Outcome(row["outcome"])) for row in rows]

    def files_opened(self, session: str) -> Tallies:
        """Of each file with credentials, over all events of a session. Walks them: a second for a million."""
        return tallies_from_rows(self._rows(FILES, [bindable(session), MOST]))

    def hosts_sent_to(self, session: str) -> Tallies:
        """Of each receiver of credentials, with what was repeated, over all events of a session."""
        return tallies_from_rows(self._rows(HOSTS, [bindable(session), MOST]))

    def repeated(self, session: str) -> dict[str, int]:
        """uid of a send → how often it was repeated, or refused again."""
        return {row["event"]: row["count"] for row in self._rows(REPEATED, [bindable(session)])}

    def processes(self, session: str) -> list[KnownProcess]:
        """Its process tree, in the order in which it was seen."""
        rows = self._rows("SELECT * FROM processes WHERE session = ? ORDER BY first_seen_ns, pid", [bindable(session)])
        return [
            KnownProcess(
                pid=row["pid"],
                parent_pid=row["parent_pid"],
                start_time=row["start_time"],
                name=row["name"],
                exe=row["exe"],
                cmdline=tuple(json.loads(row["cmdline"])),
                first_seen_ns=row["first_seen_ns"],
            )
            for row in rows
        ]

    def values(self, field: Field) -> list[str]:
        """What the record holds for a field, to be offered to a person who types a filter; the newest first.

        Looks at small tables alone, so it knows nothing of paths and rules.
        """
        return [row[0] for row in self._rows(*values_sql(field, self._layout()))]

    def rule_counts(self, after: int, until: int) -> dict[tuple[str, str], tuple[int, int]]:
        """(session, rule) → how many events of the rows after `after` up to `until` it decided, and the last's row id.

        Each event is looked into: ask for some ten thousand rows at a time.
        """
        sql = (
            "SELECT session, json_extract(json, '$.rule') AS rule, COUNT(*) AS count, MAX(id) AS last FROM events "
            "WHERE id > ? AND id <= ? GROUP BY session, rule"
        )
        found = self._rows(sql, [after, until])
        return {(row["session"], row["rule"]): (row["count"], row["last"]) for row in found}

    def data_version(self) -> int:
        """Changes when another connection has committed; 0 while there is no database."""
        rows = self._rows("PRAGMA data_version", [])
        return int(rows[0][0]) if rows else 0

    def _session(self, row: sqlite3.Row, *, counted: bool = True) -> Session:
        with self._connection() as connection:
            return session_of(connection, row, counted=counted)

    def _layout(self) -> Layout:
        names = {row["name"] for row in self._rows(_OPTIONAL_TABLES, [])}
        return Layout(search="events_fts" in names, inventory="credentials" in names, triage="triage" in names)

    def _known(self, chosen: Choice, value: str) -> list[KnownCredential]:
        if not self.has_inventory():
            return []
        rows, places, uses = (self._rows(sql, {"value": bindable(value)}) for sql in chosen.statements())
        return credentials_from_rows(rows, places, uses)


def _row(row: sqlite3.Row) -> Row:
    return Row(row["id"], event_from_json(json.loads(row["json"])))


def _bound(limit: int | None) -> int:
    return -1 if limit is None else limit


def histories_before(path: Path, session: str, start_ns: int) -> dict[str, AccessHistory]:
    """As `Reader.access_histories`; {} when the database cannot be read: then no access is unusual."""
    with contextlib.closing(Reader(path)) as reader, contextlib.suppress(StoreError):
        return reader.access_histories(session, start_ns)
    return {}


def rotated_before(path: Path) -> tuple[str, ...]:
    """Fingerprints of the credentials marked as rotated; none when the database cannot be read."""
    with contextlib.closing(Reader(path)) as reader, contextlib.suppress(StoreError):
        return reader.rotated()
    return ()
