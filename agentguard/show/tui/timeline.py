"""The session in time: reads, sends and flows along one clock. Choosing a moment takes the events there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from itertools import groupby
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from agentguard.record.pulse import Step
from agentguard.show.tui.axis import SECOND_NS, Axis, axis_for, ticks
from agentguard.show.tui.messages import MomentChosen
from agentguard.show.tui.tally import Timeline
from agentguard.show.tui.words import FAINT, MUTED, between, span_word, time_of_day

BARS = "▁▂▃▄▅▆▇█"
EMPTY = "·"
TOP = 8
"""Events in one column that make a full bar, at least: a quiet session looks quiet."""
LABEL, TOTAL = 7, 8
FULL = 4
"""Lines with all three rows; below it one row holds them all."""
SPANS = ((0, "all"), (1_800, "30 min"), (300, "5 min"))
"""Seconds; 0 is the whole session."""
_SHORTEST_NS = 30 * SECOND_NS
"""A session younger than this is drawn as if it had lasted so long: the first events do not fill the width."""
_READS, _SENDS, _FLOWS = "$text-primary", "$text-warning", "bold $text-error"


class TimelinePanel(Widget, can_focus=True):
    """Three rows and the clock; where it is low, one row. The column of the chosen event has a mark."""

    DEFAULT_CSS = """
    TimelinePanel { height: 6; padding: 0 1; }
    """
    BORDER_TITLE = "Timeline"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Earlier", show=False),
        Binding("right", "step(1)", "Later", show=False),
        Binding("home", "edge(False)", "Begin", show=False),
        Binding("end", "edge(True)", "End", show=False),
    ]

    def __init__(self, *, zone: tzinfo | None) -> None:
        super().__init__()
        self._zone = zone
        self._timeline = Timeline()
        self._begin_ns = self._end_ns = 0
        self._span = 0
        self._chosen_ns: int | None = None
        self._drawn: tuple[object, ...] = ()

    # What the page tells it

    def update(self, timeline: Timeline, begin_ns: int, end_ns: int) -> None:
        """`begin_ns`: the session's start. `end_ns`: now, or when it ended."""
        self._timeline, self._begin_ns = timeline, begin_ns
        self._end_ns = max(end_ns, begin_ns + _SHORTEST_NS)
        self._say()

    def choose(self, time_ns: int | None) -> None:
        """Mark this moment."""
        self._chosen_ns = time_ns
        self._say()

    def zoom(self) -> None:
        """The next span: all of it, half an hour, five minutes."""
        self._span = (self._span + 1) % len(SPANS)
        self._say()

    # Keys and mouse

    def action_step(self, by: int) -> None:
        """To the next column, in that direction, in which anything happened."""
        axis = self._axis()
        at = axis.width if self._chosen_ns is None else axis.column(self._chosen_ns)
        filled = sorted({axis.column(step_ns) for step_ns, _ in self._steps()} - {at})
        there = [column for column in filled if (column - at) * by > 0 and 0 <= column < axis.width]
        if there:
            self._go(axis, there[0] if by > 0 else there[-1])

    def action_edge(self, last: bool) -> None:
        axis = self._axis()
        filled = [column for step_ns, _ in self._steps() if 0 <= (column := axis.column(step_ns)) < axis.width]
        if filled:
            self._go(axis, max(filled) if last else min(filled))

    def on_click(self, event: events.Click) -> None:
        axis, column = self._axis(), event.x - self.gutter.left - LABEL
        if event.y < self.gutter.top:
            self.zoom()
        elif 0 <= column < axis.width:
            self._go(axis, column)

    def _go(self, axis: Axis, column: int) -> None:
        self._chosen_ns = axis.start_ns(column)
        self._say()
        self.post_message(MomentChosen(self._chosen_ns))

    # Drawing

    def on_resize(self) -> None:
        self._say()

    def _say(self) -> None:
        """Draw only when something of it has changed: most seconds nothing does."""
        axis = self._axis()
        mark = None if self._chosen_ns is None else axis.column(self._chosen_ns)
        drawn = axis, mark, self._timeline
        if drawn == self._drawn:
            return
        self._drawn = drawn
        first, last = max(self._from_ns, self._begin_ns), self._end_ns
        spans = [f"‹{name}›" if number == self._span else f" {name} " for number, (_, name) in enumerate(SPANS)]
        self.border_title = Content(f"Timeline {''.join(spans)}")
        said = f"{between(first, last, self._zone)} · {span_word(last - first)}" if self._begin_ns else ""
        self.border_subtitle = Content(said)
        self.refresh()

    def render(self) -> Content:
        if self._timeline.empty:
            return Content.styled("Nothing yet.", MUTED)
        axis = self._axis()
        if self.content_size.height < FULL:
            return Content("\n").join([self._one_row(axis), self._clock_row(axis)][: self.content_size.height])
        rows = [self._row("reads", axis, _READS), self._row("sends", axis, _SENDS), self._row("flows", axis, _FLOWS)]
        return Content("\n").join([*rows, self._clock_row(axis)])

    @property
    def _from_ns(self) -> int:
        """Where the span begins."""
        seconds = SPANS[self._span][0]
        return self._end_ns - seconds * SECOND_NS if seconds else self._begin_ns

    def _axis(self) -> Axis:
        return axis_for(self._from_ns, self._end_ns, self.content_size.width - LABEL - TOTAL)

    def _steps(self) -> Iterable[tuple[int, Step]]:
        """With the middle of each, ns since the epoch."""
        timeline = self._timeline
        length = SECOND_NS if SPANS[self._span][0] else timeline.whole_ns
        steps = timeline.seconds if SPANS[self._span][0] else timeline.whole
        return ((step.number * length + length // 2, step) for step in steps)

    def _counts(self, axis: Axis, name: str) -> list[int]:
        out = [0] * axis.width
        for step_ns, step in self._steps():
            column = axis.column(step_ns)
            if 0 <= column < axis.width:
                out[column] += getattr(step, name)
        return out

    def _row(self, name: str, axis: Axis, style: str) -> Content:
        counts = self._counts(axis, name)
        line = markers(counts) if name == "flows" else bars(counts)
        total = Content.styled(f"{sum(counts):>{TOTAL},}", "bold" if any(counts) else MUTED)
        return Content.assemble((name.ljust(LABEL), MUTED), _runs(line, style), total)

    def _one_row(self, axis: Axis) -> Content:
        """Flows before sends before reads, where there is no room for all."""
        reads, sends, flows = (self._counts(axis, name) for name in ("reads", "sends", "flows"))
        sent = bars([one + other for one, other in zip(reads, sends, strict=True)])
        parts = [
            ("▲", _FLOWS) if flow else (bar, _SENDS if send else _READS if bar != EMPTY else FAINT)
            for bar, send, flow in zip(sent, sends, flows, strict=True)
        ]
        total = f"{sum(flows):,} ▲" if any(flows) else ""
        return Content.assemble((SPANS[self._span][1].ljust(LABEL), MUTED), *parts, (total.rjust(TOTAL), _FLOWS))

    def _clock_row(self, axis: Axis) -> Content:
        """Clock times below their columns, and that of the chosen event before all others."""
        said, at = self._mark(axis)
        line = [" "] * axis.width
        for column, label in ticks(axis, self._zone):
            end = column + len(label) + 1
            if end <= axis.width and (not said or end < at or column > at + len(said)):
                line[column:end] = f"╵{label}"
        text = "".join(line)
        parts = (text[:at], MUTED), (said, "bold $text-primary"), (text[at + len(said) :], MUTED)
        return Content.assemble(" " * LABEL, *(part for part in parts if part[0]))

    def _mark(self, axis: Axis) -> tuple[str, int]:
        """What marks the chosen moment, and the column where it begins; "" when it is not on the axis."""
        mark = -1 if self._chosen_ns is None else axis.column(self._chosen_ns)
        if not 0 <= mark < axis.width:
            return "", 0
        when = time_of_day(self._chosen_ns or 0, self._zone)
        fits = mark + len(when) < axis.width
        return (f"↑{when}", mark) if fits else (f"{when}↑", max(0, mark - len(when)))


def _runs(line: str, style: str) -> Content:
    runs = (("".join(run), FAINT if empty else style) for empty, run in groupby(line, EMPTY.__eq__))
    return Content.assemble(*runs)


def bars(counts: list[int]) -> str:
    """One bar a column; one event is still seen beside a thousand: the height follows the square root."""
    top = max(TOP, *counts)
    return "".join(BARS[round((count / top) ** 0.5 * (len(BARS) - 1))] if count else EMPTY for count in counts)


def markers(counts: list[int]) -> str:
    """A mark where something flowed."""
    return "".join("▲" if count else EMPTY for count in counts)
