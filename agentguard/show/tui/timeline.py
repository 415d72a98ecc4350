"""The session in time: reads, sends and flows along one axis."""

from __future__ import annotations

from datetime import tzinfo
from itertools import groupby

from textual.content import Content
from textual.widget import Widget

from agentguard.record.reader import Bucket
from agentguard.show.tui.words import FAINT, MUTED, between, span_word

BARS = "▁▂▃▄▅▆▇█"
EMPTY = "·"
TOP = 8
"""Events in one step that make a full bar, at least: a quiet session looks quiet."""
LABEL = 7
TOTAL = 7
ROWS = 3
_SHORTEST_NS = 30_000_000_000
"""A session younger than this is drawn as if it had lasted so long: the first events do not fill the width."""


class TimelinePanel(Widget):
    """Three rows, one of each; the border says the span."""

    DEFAULT_CSS = """
    TimelinePanel { height: 5; padding: 0 1; }
    """
    BORDER_TITLE = "Timeline"

    def __init__(self, *, zone: tzinfo | None) -> None:
        super().__init__()
        self._zone = zone
        self._buckets: tuple[Bucket, ...] = ()
        self._end_ns = 0

    def update(self, buckets: tuple[Bucket, ...], end_ns: int) -> None:
        """`end_ns`: now, or when the session ended."""
        self._buckets = buckets
        if buckets:
            start_ns = buckets[0].start_ns
            self._end_ns = max(end_ns, self._counted_end, start_ns + _SHORTEST_NS)
            span = span_word(self._end_ns - start_ns)
            self.border_subtitle = f"{between(start_ns, self._end_ns, self._zone)} · {span}"
        else:
            self.border_subtitle = ""
        self.refresh()

    @property
    def _counted_end(self) -> int:
        """Where the last bucket ends."""
        first, last = self._buckets[0].start_ns, self._buckets[-1].start_ns
        return last + (last - first) // max(1, len(self._buckets) - 1)

    def render(self) -> Content:
        if not self._buckets:
            return Content.styled("Nothing yet.", MUTED)
        if self.content_size.height < ROWS:
            return self._one_row(self.content_size.width)
        width = max(1, self.content_size.width - LABEL - TOTAL)
        lines = []
        for label, counts, style in self._rows():
            total = Content.styled(f"{sum(counts):>{TOTAL},}", "bold" if any(counts) else MUTED)
            lines.append(Content.assemble((label.ljust(LABEL), MUTED), self._line(label, counts, style, width), total))
        return Content("\n").join(lines)

    def _one_row(self, room: int) -> Content:
        """All three side by side, for a low window."""
        width = max(1, (room - 4) // 3 - LABEL + 1)
        parts = [
            Content.assemble((f"{label} ", MUTED), self._line(label, counts, style, width))
            for label, counts, style in self._rows()
        ]
        return Content("  ").join(parts)

    def _rows(self) -> tuple[tuple[str, tuple[int, ...], str], ...]:
        return (
            ("reads", tuple(bucket.reads for bucket in self._buckets), "$text-primary"),
            ("sends", tuple(bucket.sends for bucket in self._buckets), "$text-warning"),
            ("flows", tuple(bucket.flows for bucket in self._buckets), "bold $text-error"),
        )

    def _line(self, label: str, counts: tuple[int, ...], style: str, width: int) -> Content:
        start = self._buckets[0].start_ns
        steps = spread(counts, self._counted_end - start, self._end_ns - start, width)
        line = markers(steps) if label == "flows" else bars(steps)
        runs = (("".join(run), FAINT if empty else style) for empty, run in groupby(line, EMPTY.__eq__))
        return Content.assemble(*runs)


def spread(counts: tuple[int, ...], counted_ns: int, shown_ns: int, width: int) -> list[int]:
    """Put `counts`, equal steps of `counted_ns`, into `width` equal steps of the longer `shown_ns`."""
    out = [0] * width
    if not counts or shown_ns <= 0:
        return out
    scale = width * counted_ns / (shown_ns * len(counts))
    for step, count in enumerate(counts):
        if count:
            out[min(width - 1, int((step + 0.5) * scale))] += count
    return out


def bars(steps: list[int]) -> str:
    """One bar a step; one event is still seen beside a thousand: the height follows the square root."""
    top = max(TOP, *steps)
    return "".join(BARS[round((step / top) ** 0.5 * (len(BARS) - 1))] if step else EMPTY for step in steps)


def markers(steps: list[int]) -> str:
    """A mark where something flowed."""
    return "".join("▲" if step else EMPTY for step in steps)
