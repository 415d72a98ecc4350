"""Time in columns: nothing is lost, nothing moves, and the labels say what they stand above."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import tui_sample as sample
from hypothesis import example, given
from hypothesis import strategies as st

from agentguard.record.pulse import Step
from agentguard.show.tui.axis import SECOND_NS, axis_for, ticks
from agentguard.show.tui.tally import COARSE_MOST, FINE_SECONDS, Tally
from agentguard.show.tui.timeline import EMPTY, bars, markers

NOW = sample.NOW_NS


@given(
    st.integers(min_value=0, max_value=40 * 86_400),
    st.integers(min_value=1, max_value=250),
    st.floats(min_value=0, max_value=1),
)
@example(0, 1, 0.0)
def test_every_moment_of_the_span_has_a_column(seconds: int, width: int, part: float) -> None:
    begin = NOW - seconds * SECOND_NS
    axis = axis_for(begin, NOW, width)
    moment = begin + round(part * seconds) * SECOND_NS
    assert axis.column(begin) >= -1, "at most the column before the first one, when it began in its middle"
    assert axis.column(NOW) == width - 1
    column = axis.column(moment)
    assert axis.start_ns(column) <= moment < axis.start_ns(column + 1)


@given(st.integers(min_value=60, max_value=40 * 86_400), st.integers(min_value=20, max_value=250))
def test_the_span_fills_most_of_the_width(seconds: int, width: int) -> None:
    axis = axis_for(NOW - seconds * SECOND_NS, NOW, width)
    assert seconds / axis.column_s > width * 0.45 or axis.column_s == 1


def test_bars_stay_where_they_are_while_time_goes_on() -> None:
    first, later = (axis_for(NOW - 1750 * SECOND_NS, NOW + more * SECOND_NS, 100) for more in (0, 7))
    assert first.column_s == later.column_s
    moment = NOW - 400 * SECOND_NS
    assert first.start_ns(first.column(moment)) == later.start_ns(later.column(moment))


@pytest.mark.parametrize("zone", [UTC, ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin")])
@pytest.mark.parametrize("seconds", [30, 300, 1_800, 7_200, 86_400, 40 * 86_400])
def test_labels_stand_at_their_time_and_apart(zone: ZoneInfo, seconds: int) -> None:
    axis = axis_for(NOW - seconds * SECOND_NS, NOW, 110)
    marks = list(ticks(axis, zone))
    assert len(marks) >= 1
    columns = [column for column, _ in marks]
    assert all(later - earlier >= 11 for earlier, later in pairwise(columns))
    for column, label in marks:
        start = datetime.fromtimestamp(axis.start_ns(column) / 1e9, zone)
        form = "%b %d" if label[0].isalpha() else "%H:%M:%S" if label.count(":") == 2 else "%H:%M"
        within = range(0, axis.column_s, min(60, axis.column_s))
        assert label in {(start + timedelta(seconds=second)).strftime(form) for second in (*within, axis.column_s - 1)}


@given(st.lists(st.integers(min_value=0, max_value=1000), min_size=1, max_size=300))
def test_a_bar_stands_where_something_happened(counts: list[int]) -> None:
    for line in (bars(counts), markers(counts)):
        assert [char == EMPTY for char in line] == [count == 0 for count in counts]


class Answers:
    """Stands for the database: steps as a session would have them."""

    def __init__(self, *answers: list[Step]) -> None:
        self.answers = list(answers)

    def steps_between(self, session: str, step_ns: int, after: int, upto: int) -> list[Step]:
        assert step_ns == SECOND_NS
        return self.answers.pop(0)


@given(st.lists(st.integers(min_value=0, max_value=12 * 3_600), max_size=60), st.integers(min_value=1, max_value=59))
def test_a_tally_counts_every_step_once(seconds: list[int], at: int) -> None:
    steps = [Step(10_000 + second, reads=1, sends=2) for second in sorted(seconds)]
    tally = Tally("one")
    answers = Answers(steps[:at], steps[at:])
    tally.timeline(answers, 1)  # type: ignore[arg-type]
    timeline = tally.timeline(answers, 2)  # type: ignore[arg-type]
    assert sum(step.sends for step in timeline.whole) == 2 * len(seconds)
    last = max((step.number for step in steps), default=0)
    recent = sum(1 for step in steps if step.number > last - FINE_SECONDS)
    assert sum(step.reads for step in timeline.seconds) == recent


def test_a_long_session_keeps_a_bounded_number_of_steps() -> None:
    steps = [Step(number * 3, flows=1) for number in range(5 * COARSE_MOST)]
    timeline = Tally("one").timeline(Answers(steps), 1)  # type: ignore[arg-type]
    assert len(timeline.whole) <= COARSE_MOST
    assert sum(step.flows for step in timeline.whole) == len(steps)
    assert timeline.whole_ns > SECOND_NS
