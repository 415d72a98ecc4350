"""The panel below the events: the chosen event in a few lines."""

from __future__ import annotations

from datetime import tzinfo

from textual.content import Content
from textual.widget import Widget

from agentguard.show.tui.flow_text import Story, panel_lines
from agentguard.show.tui.words import MARK, MUTED

EMPTY = "Choose an event to see where its secret came from and where it went."


class DetailPanel(Widget):
    """As many of the story's lines as there is room for."""

    DEFAULT_CSS = """
    DetailPanel { padding: 0 1; }
    """
    BORDER_TITLE = "Detail"

    def __init__(self, *, zone: tzinfo | None) -> None:
        super().__init__()
        self._zone = zone
        self._story: Story | None = None

    def update(self, story: Story | None) -> None:
        """Show another event, or none."""
        self._story = story
        flow = story.event.finding.flow if story else None
        known = flow is not None and flow.fingerprint.isalnum()
        self.border_title = f"Flow {flow.fingerprint[:6]}" if flow and known else "Detail"
        said = MARK[story.marked.mark] if story and story.marked else None
        answer = f"{said.glyph} {said.word} · " if said else ""
        self.border_subtitle = f"{answer}enter: all of it" if story else ""
        self.refresh()

    def render(self) -> Content:
        if self._story is None:
            return Content.styled(EMPTY, MUTED)
        lines = panel_lines(self._story, self.content_size.width, self._zone)
        return Content("\n").join(lines[: max(1, self.content_size.height)])
