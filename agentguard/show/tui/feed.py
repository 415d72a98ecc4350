"""Feeds the event list with row ids: the loader's older ones from a thread, new ones as they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from agentguard.errors import StoreError
from agentguard.model.event import Event
from agentguard.model.finding import Activity
from agentguard.model.verdict import Disposition
from agentguard.record.pulse import Pulse
from agentguard.record.reader import EventQuery, Field, Mark, Reader, Term
from agentguard.show.tui.flow_text import Story

FIRST = 500
"""Row ids in the loader's first answer: enough for any window."""
SENDS = 50
"""Sends of one read that are told of: the first ones say enough."""
STRETCH = 20_000
"""Row ids in each later one."""
EVERY_ROW = 2**62
"""A row id behind all that there will ever be."""

_NOT_MARKED = Term(Field.IS, (Mark.SEEN.value, Mark.EXPECTED.value), negated=True)
"""What a person said of an event answers it: nobody need look again."""

Emit = Callable[[Sequence[int], bool], object]


class Feed:
    """The screen's own connection; `load`, in the loader's thread, has another."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._seen = 0
        self.reader = Pulse(database)
        self.chosen = EventQuery()
        self.generation = 0

    def restart(self, chosen: EventQuery) -> tuple[int, int]:
        """Begin anew with this filter. Returns what `load` needs: the generation, and where the past ends."""
        self.chosen = chosen
        self.generation += 1
        self._seen = self.reader.last_id()
        return self.generation, self._seen + 1

    def newer(self) -> list[int]:
        """Row ids that have come since the last call, oldest first."""
        last = self.reader.last_id()
        if last <= self._seen:
            return []
        after, self._seen = self._seen, last
        return self.reader.event_ids(replace(self.chosen, after=after, before=last + 1))

    def load(self, chosen: EventQuery, before: int, emit: Emit, cancelled: Callable[[], bool]) -> None:
        """Read the past, newest first, in stretches, until its beginning or until cancelled."""
        reader, limit = Reader(self._database), FIRST
        try:
            while not cancelled():
                ids = reader.event_ids(replace(chosen, before=before, limit=limit, newest_first=True))
                done = len(ids) < limit
                emit(ids, done)
                if done:
                    return
                before, limit = ids[-1], STRETCH
        finally:
            reader.close()

    def read(self, ids: Sequence[int]) -> list[tuple[int, Event]]:
        """The events of some rows; one that has been purged is left out."""
        found = self.reader.events_by_id(ids)
        if len(found) == len(ids):
            return list(zip(ids, found, strict=True))
        return [(one, event) for one in ids for event in self.reader.events_by_id([one])]

    def story(self, event: Event) -> Story:
        """An event with the others of its flows, and what people said of it."""
        finding, flow = event.finding, event.finding.flow
        rotated = frozenset(self.reader.rotated()) if finding.matches else frozenset()
        told = Story(event, marked=self.reader.marked(finding.uid), rotated=rotated)
        if flow is not None:
            return replace(told, read=self.reader.event(flow.read))
        if finding.activity is Activity.SEND:
            return told
        return replace(told, sends=tuple(self.reader.sends_of(finding.session, finding.uid, SENDS)))

    def next_finding(self, row_id: int, *, backwards: bool) -> int:
        """Row id of the next event that a person should look at; 0 when there is none."""
        terms = (*self.chosen.terms, _NOT_MARKED)
        query = replace(self.chosen, dispositions=(Disposition.ALERT, Disposition.BLOCKED), terms=terms, limit=1)
        if backwards:
            found = self.reader.event_ids(replace(query, before=row_id, newest_first=True))
        else:
            found = self.reader.event_ids(replace(query, after=row_id))
        return found[0] if found else 0

    def first_since(self, time_ns: int) -> int:
        """Row id of the first event of the session at that moment or after it; `EVERY_ROW` when there is none."""
        return self.reader.id_since(self.chosen.session or "", time_ns) or EVERY_ROW

    def known(self, key: str) -> Sequence[str]:
        """Values of the filter's key that the record holds; none when it cannot be read now."""
        try:
            return self.reader.values(Field(key))
        except (StoreError, ValueError):
            return ()

    def session_uid(self, name: str) -> str:
        """The uid behind a name in a filter; a name that nothing has matches nothing."""
        session = self.reader.session(name)
        return session.uid if session else name
