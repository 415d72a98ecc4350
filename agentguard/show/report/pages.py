"""All events of a session or of a range of them, page by page: never more in memory than one page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from agentguard.model.event import Event
from agentguard.record.reader import EventQuery, Reader

PAGE = 500


def each_event(reader: Reader, query: EventQuery) -> Iterator[Event]:
    """Oldest first; what is recorded while they are read comes, too.

    Raises:
        StoreError: the database cannot be read.
    """
    after = query.after
    while rows := reader.rows(replace(query, after=after, limit=PAGE)):
        yield from (row.event for row in rows)
        after = rows[-1].id
