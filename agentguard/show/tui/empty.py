"""What is shown before there is anything to show."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from agentguard.command_name import command
from agentguard.show.tui.messages import Snapshot
from agentguard.show.tui.words import MUTED, clean


class EmptyState(Widget):
    """Says how to begin. It goes away by itself with the first session."""

    DEFAULT_CSS = """
    EmptyState { display: none; height: 1fr; content-align: center middle; text-align: center; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._problem = ""

    def update(self, snapshot: Snapshot) -> None:
        """Show why there is nothing, when that is known."""
        self._problem = snapshot.problem
        self.refresh()

    def render(self) -> Content:
        if self._problem:
            return Content.assemble(("Nothing to show.\n\n", "bold $text-error"), clean(self._problem))
        return Content.assemble(
            ("No session yet.\n\n", "bold"),
            ("Start your coding agent under guard, in another terminal:\n\n", MUTED),
            (f"{command()} run -- claude\n\n", "bold $text-success"),
            ("or see it work on a stand-in with planted, synthetic secrets:\n\n", MUTED),
            (f"{command()} demo\n\n", "bold $text-success"),
            ("This screen fills by itself.", MUTED),
        )
