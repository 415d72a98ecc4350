"""Draws the lines of the event list, and keeps those it has drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.strip import Strip
from textual.widget import Widget

from agentguard.model.event import Event
from agentguard.record.reader import Mark
from agentguard.show.tui.rows import Cell, columns_for, event_cells, header_cells

KEPT = 512
"""Drawn lines kept."""
ROLES = (
    *("head", "time", "act", "subject", "loud", "process", "done", "flow", "cursor"),
    *("sev-info", "sev-low", "sev-medium", "sev-high", "sev-critical"),
)
"""Each is a component class `log--ROLE` of the widget."""


_LOUDER = {"time": "subject", "process": "subject", "done": "subject", "sev-info": "subject"}
"""What is soft elsewhere could not be read on the cursor's ground."""


@dataclass(frozen=True, slots=True)
class FlowMark:
    """A flow to draw beside the rows: the sequence numbers of its read and its send."""

    session: str
    read: int
    send: int

    def glyph(self, event: Event) -> str:
        """What stands in the gutter of this event."""
        if event.finding.session != self.session:
            return " "
        if event.seq == self.read:
            return "┌"
        if event.seq == self.send:
            return "└"
        return "│" if self.read < event.seq < self.send else " "


class LinePainter:
    """Takes its styles from the widget it paints for."""

    def __init__(self, widget: Widget, zone: tzinfo | None) -> None:
        self._widget = widget
        self._zone = zone
        self._strips: LRUCache[tuple[object, ...], Strip] = LRUCache(KEPT)

    def clear(self) -> None:
        """Another theme: draw everything anew."""
        self._strips.clear()

    def head(self, width: int) -> Strip:
        """The names of the columns."""
        return self._draw(header_cells(columns_for(width)), width, cursor=False)

    def row(self, event: Event | None, width: int, mark: FlowMark | None, said: Mark | None, *, cursor: bool) -> Strip:
        """One event, and what a person said of it; None is one that has been purged since."""
        if event is None:
            return self._draw([("  (purged)", "time")], width, cursor=cursor)
        gutter = mark.glyph(event) if mark else " "
        key = (event.finding.uid, width, gutter, said, cursor, self._widget.has_focus)
        strip = self._strips.get(key)
        if strip is None:
            cells = event_cells(event, columns_for(width), self._zone, gutter, said)
            strip = self._strips[key] = self._draw(cells, width, cursor=cursor)
        return strip

    def _draw(self, cells: Sequence[Cell], width: int, *, cursor: bool) -> Strip:
        style = self._widget.get_component_rich_style
        base = style("log--cursor") if cursor else self._widget.rich_style
        on = Style(bgcolor=base.bgcolor, bold=base.bold if cursor else None, reverse=base.reverse if cursor else None)
        roles = _LOUDER if cursor else {}
        segments = [Segment(text, style(f"log--{roles.get(role, role)}") + on) for text, role in cells]
        return Strip(segments).adjust_cell_length(width, on)
