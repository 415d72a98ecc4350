"""The first line: all places of the dashboard, each behind its key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.widget import Widget

from agentguard.show.tui.messages import PlaceWanted
from agentguard.show.tui.words import MUTED

_GLYPHS_WIDTH = 110
"""From this width on every place has its glyph."""


@dataclass(frozen=True, slots=True)
class Tab:
    """One place, as it is named here."""

    key: str
    name: str
    glyph: str


class PlaceBar(Widget):
    """A click goes there."""

    DEFAULT_CSS = """
    PlaceBar { height: 1; padding: 0 1; background: $background; color: $foreground; }
    """

    def __init__(self, tabs: tuple[Tab, ...], here: str) -> None:
        super().__init__()
        self._tabs = tabs
        self._here = here

    def render(self) -> Content:
        parts = [Content.styled("AgentGuard", "bold $text-primary")]
        parts += [Content.assemble("  ", part) for _, part in self._drawn()]
        return Content("").join(parts).truncate(self.content_size.width)

    def on_click(self, event: events.Click) -> None:
        at = event.x - self.gutter.left - len("AgentGuard")
        for tab, part in self._drawn():
            at -= 2
            if 0 <= at < part.cell_length:
                self.post_message(PlaceWanted(tab.name))
                return
            at -= part.cell_length

    def _drawn(self) -> Iterator[tuple[Tab, Content]]:
        glyphs = self.size.width >= _GLYPHS_WIDTH
        for tab in self._tabs:
            here = tab.name == self._here
            name = f"{tab.glyph} {tab.name}" if glyphs else tab.name
            style = "bold $text-primary reverse" if here else ""
            yield (
                tab,
                Content.assemble(
                    (f" {tab.key} " if here else f"{tab.key} ", style or MUTED), (name + " " * here, style)
                ),
            )
