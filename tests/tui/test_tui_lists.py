"""The pure parts of the lists: columns, the index of rows, the steps of the timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC

import pytest
import tui_sample as sample
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from agentguard.model.event import Event
from agentguard.show.tui.index import KEPT, PAGE, EventIndex
from agentguard.show.tui.rows import columns_for, event_cells, header_cells
from agentguard.show.tui.timeline import BARS, bars
from agentguard.show.tui.words import MARK

EVENTS = [Event(seq, *judged) for seq, judged in enumerate(sample.shop_session()[1], 1)]


@pytest.mark.parametrize("width", [40, 49, 52, 60, 76, 84, 88, 120, 196])
def test_columns_fill_the_width_and_stand_below_their_names(width: int) -> None:
    columns = columns_for(width)
    head = "".join(text for text, _ in header_cells(columns))
    for event in EVENTS:
        for said in (None, *MARK):
            cells = event_cells(event, columns, UTC, said=said)
            assert sum(cell_len(text) for text, _ in cells) == len(head)
    assert len(head.rstrip()) <= width
    assert width - 3 <= len(head) <= width + 1 or width < 49


@given(st.text(max_size=50), st.integers(min_value=40, max_value=200))
def test_a_hostile_subject_keeps_to_its_column(subject: str, width: int) -> None:
    event = EVENTS[-1]
    hostile = Event(1, replace(event.finding, subject=subject), event.verdict)
    columns = columns_for(width)
    cells = event_cells(hostile, columns, UTC)
    assert sum(cell_len(text) for text, _ in cells) == sum(len(text) for text, _ in header_cells(columns))


def test_narrow_columns_give_way_before_the_subject_does() -> None:
    assert columns_for(40).what == columns_for(40).process == 0
    assert columns_for(120).time == len("14:31:58.640")
    assert all(columns_for(width).subject >= 12 for width in range(10, 200))


class Store:
    """Events by row id, and how often they were asked for."""

    def __init__(self, gone: Sequence[int] = ()) -> None:
        self.asked: list[list[int]] = []
        self._gone = gone

    def read(self, ids: Sequence[int]) -> list[tuple[int, Event]]:
        self.asked.append(list(ids))
        return [(one, replace(EVENTS[0], seq=one)) for one in ids if one not in self._gone]


def test_the_index_reads_a_page_at_a_time() -> None:
    index, store = EventIndex(), Store()
    index.extend(range(10, 10 + 3 * PAGE))
    assert index.event(0, store.read) == replace(EVENTS[0], seq=10)
    index.event(PAGE - 1, store.read)
    assert len(store.asked) == 1
    index.event(PAGE, store.read)
    assert store.asked[1] == list(range(10 + PAGE, 10 + 2 * PAGE))


def test_the_index_grows_at_both_ends() -> None:
    index, store = EventIndex(), Store()
    index.prepend([40, 35, 30])
    index.extend([50, 60])
    index.prepend([20, 10])
    assert [index.id_of(row) for row in range(len(index))] == [10, 20, 30, 35, 40, 50, 60]
    assert index.row_of(35) == 3
    assert index.row_of(36) is None
    assert index.row_of(99) is None
    seen = index.event(6, store.read)
    assert seen is not None
    assert seen.seq == 60


def test_the_index_forgets_what_was_not_looked_at_for_long() -> None:
    index, store = EventIndex(), Store()
    index.extend(range(1, 20 * KEPT))
    for row in range(0, 5 * KEPT, PAGE):
        index.event(row, store.read)
    before = len(store.asked)
    index.event(0, store.read)
    assert len(store.asked) == before + 1
    assert len(index._events) <= KEPT


def test_a_purged_event_is_none() -> None:
    index = EventIndex()
    index.extend([1, 2, 3])
    assert index.event(1, Store(gone=[2]).read) is None


def test_one_event_is_seen_beside_a_thousand() -> None:
    assert bars([1, 1000])[0] == BARS[0]
    assert bars([1000])[0] == BARS[-1]
    assert bars([1])[0] in BARS[1:4]
