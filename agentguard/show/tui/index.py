"""Row numbers to events: all matching row ids in memory (8 bytes each), the events themselves by the page."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Sequence

from agentguard.model.event import Event

PAGE = 64
"""Events read in one go around a row that is wanted."""
KEPT = 1024
"""Events kept in memory."""

ReadEvents = Callable[[Sequence[int]], list[tuple[int, Event]]]


class EventIndex:
    """Grows at both ends: new events at the tail, the loader's older ones at the head."""

    def __init__(self) -> None:
        self._ids: array[int] = array("q")
        self._events: OrderedDict[int, Event] = OrderedDict()

    def __len__(self) -> int:
        return len(self._ids)

    def clear(self) -> None:
        """Forget everything."""
        self._ids = array("q")
        self._events.clear()

    def extend(self, ids: Sequence[int]) -> None:
        """Add newer rows, oldest first."""
        self._ids.extend(ids)

    def prepend(self, newest_first: Sequence[int]) -> None:
        """Add older rows."""
        older = array("q", reversed(newest_first))
        older.extend(self._ids)
        self._ids = older

    def id_of(self, row: int) -> int:
        """The row id at `row`."""
        return self._ids[row]

    def row_of(self, row_id: int) -> int | None:
        """Where the event with this row id stands; None when the filter leaves it out."""
        row = bisect_left(self._ids, row_id)
        return row if row < len(self._ids) and self._ids[row] == row_id else None

    def row_from(self, row_id: int) -> int:
        """Where the first event with this row id or a greater one stands; behind the last row when there is none."""
        return bisect_left(self._ids, row_id)

    def event(self, row: int, read: ReadEvents) -> Event | None:
        """The event at `row`, from memory or with the page around it. None when it has been purged."""
        row_id = self._ids[row]
        event = self._events.get(row_id)
        if event is not None:
            self._events.move_to_end(row_id)
            return event
        first = row // PAGE * PAGE
        wanted = [known for known in self._ids[first : first + PAGE] if known not in self._events]
        for known, found in read(wanted):
            self._events[known] = found
        event = self._events.get(row_id)
        while len(self._events) > KEPT:
            self._events.popitem(last=False)
        return event
