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

from agentguard.model.at_rest import Commit
from agentguard.model.credential import CredentialPlace, FoundBy
from agentguard.model.event import Event, event_from_json
from agentguard.model.fault import at_fault
from agentguard.model.finding import Activity, Kind
from agentguard.model.secret import SecretMatch
from agentguard.model.unicode import valid_text
from agentguard.model.verdict import Disposition, Outcome

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

_NOTE_USE = """
INSERT INTO credential_uses
    (fingerprint, session, agent, way, host, outcome, blocked, process, count, first_ns, last_ns)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    count = credential_uses.count + excluded.count,
    first_ns = MIN(credential_uses.first_ns, excluded.first_ns),
    last_ns = MAX(credential_uses.last_ns, excluded.last_ns),
    process = excluded.process
"""

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


class Notes:
    """What is on its way into the three tables."""

    def __init__(self) -> None:
        self._credentials = _Rows()
        self._places = _Rows()
        self._uses = _Rows()

    def credential(self, match: SecretMatch, time_ns: int) -> None:
        """It was seen at that time."""
        hosts = json.dumps(match.issuer_hosts)
        facts = (match.type, valid_text(match.own_name), match.preview, int(match.public), hosts)
        self._credentials.add((match.fingerprint, *facts), time_ns, time_ns)

    def place(self, match: SecretMatch, place: CredentialPlace) -> None:
        """It lies there. Notes the credential as well."""
        self.credential(match, place.last_seen_ns)
        where = (match.fingerprint, valid_text(place.path), place.found_by.value)
        self._places.add((*where, place.line, place.commit, place.commit_ns), place.first_seen_ns, place.last_seen_ns)

    def event(self, event: Event, *, times: int = 1, last_ns: int = 0) -> None:
        """What the event says of each of its credentials; `times` it happened, the last time at `last_ns`."""
        finding = event.finding
        last_ns = max(last_ns, finding.time_ns)
        blamed = {match.fingerprint for match in at_fault(event)}
        blocked = int(event.verdict.disposition is Disposition.BLOCKED)
        process = valid_text(finding.process.name) if finding.process else ""
        for match in {match.fingerprint: match for match in finding.matches}.values():
            self.credential(match, last_ns)
            self.credential(match, finding.time_ns)
            path = finding.path if finding.kind is Kind.FILE else match.source_path
            if path:
                self.place(match, seen_at(path, FoundBy.SESSION, finding.time_ns))
            outcome = event.verdict.outcome if match.fingerprint in blamed else Outcome.CLEAN
            who = (match.fingerprint, finding.session, finding.agent, finding.activity.value)
            what = (valid_text(finding.host), outcome.value, blocked, process)
            self._uses.add((*who, *what), finding.time_ns, last_ns, times)

    def write(self, connection: sqlite3.Connection) -> None:
        """Into the tables; the caller holds the transaction."""
        connection.executemany(_NOTE_CREDENTIAL, self._credentials.seen())
        connection.executemany(_NOTE_PLACE, self._places.seen())
        connection.executemany(_NOTE_USE, self._uses.counted())


def seen_at(path: str, found_by: FoundBy, time_ns: int, line: int = 0, commit: Commit | None = None) -> CredentialPlace:
    """A place as it was seen once; `path` is absolute."""
    return CredentialPlace(
        path=path,
        found_by=found_by,
        line=line,
        commit=commit.id if commit else "",
        commit_ns=round(commit.time * 1e9) if commit else 0,
        first_seen_ns=time_ns,
        last_seen_ns=time_ns,
    )


def note_events(connection: sqlite3.Connection, events: Iterable[Event]) -> None:
    """Bring the inventory up to date with events that `connection` has just written.

    A count of repetitions names no credential: those of the event that it repeats are meant.
    """
    notes = Notes()
    for event in events:
        if event.finding.activity is not Activity.REPEAT:
            notes.event(event)
            continue
        first = connection.execute("SELECT json FROM events WHERE uid = ?", (event.finding.repeats,)).fetchone()
        if first is not None:
            notes.event(event_from_json(json.loads(first[0])), times=event.finding.count, last_ns=event.finding.time_ns)
    notes.write(connection)


def events_with_credentials(connection: sqlite3.Connection) -> Iterator[Event]:
    """All that the inventory follows from, in the order in which they were recorded."""
    rows = connection.execute(
        "SELECT json FROM events WHERE activity = 'repeat' OR id IN (SELECT event FROM matches) ORDER BY id"
    )
    return (event_from_json(json.loads(row[0])) for row in rows)
