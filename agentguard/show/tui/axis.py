"""Time in columns: which column an instant falls into, and where the clock is written below them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

SECOND_NS = 1_000_000_000
_TICKS = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
"""Seconds between two labels; beyond the last one, whole days."""
_LABEL_ROOM = 12
"""Columns from one label to the next, at least."""


@dataclass(frozen=True, slots=True)
class Axis:
    """`width` columns of equal length; the last one holds the present, or the session's end.

    Columns begin at whole multiples of their length, so that bars keep their height while time goes on.
    """

    first: int
    """Number of the first column, in columns since the epoch."""
    column_s: int
    """Seconds a column stands for."""
    width: int

    def column(self, time_ns: int) -> int:
        """Below 0 or from `width` on when it is not on the axis."""
        return time_ns // (self.column_s * SECOND_NS) - self.first

    def start_ns(self, column: int) -> int:
        """Where a column begins."""
        return (self.first + column) * self.column_s * SECOND_NS


def axis_for(begin_ns: int, end_ns: int, width: int) -> Axis:
    """An axis that holds both, the end in its last column."""
    width = max(1, width)
    span_s = max(1, -(-(end_ns - begin_ns) // SECOND_NS))
    column_s = _even(-(-span_s // width))
    return Axis(end_ns // (column_s * SECOND_NS) - width + 1, column_s, width)


def _even(seconds: int) -> int:
    """A little longer, so that it changes seldom while a session grows: in steps of a twentieth."""
    grain = max(1, 10 ** (len(str(seconds)) - 2) * 5 if seconds >= 20 else 1)
    return -(-seconds // grain) * grain


def ticks(axis: Axis, zone: tzinfo | None) -> Iterator[tuple[int, str]]:
    """Columns that begin a round piece of time, with its clock time: seconds only where they are needed."""
    wanted = axis.column_s * _LABEL_ROOM
    step = next((tick for tick in _TICKS if tick >= wanted), -(-wanted // 86400) * 86400)
    form = "%H:%M:%S" if step < 60 else "%H:%M" if step < 86400 else "%b %d"
    moment = datetime.fromtimestamp(axis.start_ns(0) // SECOND_NS, zone)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + timedelta(seconds=-(-(moment - midnight).seconds // step) * step)
    end = axis.start_ns(axis.width)
    while (at_ns := round(at.timestamp()) * SECOND_NS) < end:
        label = at.strftime(form if at != at.replace(hour=0, minute=0, second=0) or step >= 86400 else "%b %d")
        yield axis.column(at_ns), label
        at += timedelta(seconds=step)
