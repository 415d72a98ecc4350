"""The answer in one line: is everything fine, and if not, why."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from agentguard.model.session import Session
from agentguard.model.verdict import Outcome
from agentguard.show.tui.words import OUTCOME, clean, plural

_SEEN = {
    Outcome.CLEAN: "Nothing went where it should not go.",
    Outcome.UNKNOWN: "Something could not be seen; s says what.",
    Outcome.EXPOSED: "The model provider received a credential.",
    Outcome.LEAKED: "A credential went to a host that is not its issuer.",
}
_NOUNS = (("reads", "read"), ("sends", "send"), ("flows", "flow"))


class Banner(Widget):
    """Outcome, its reason, and what was counted."""

    DEFAULT_CSS = """
    Banner { height: 1; padding: 0 1; background: $surface; }
    Banner.-clean { background: $success-muted; color: $text-success; }
    Banner.-unknown { background: $accent-muted; color: $text-accent; }
    Banner.-exposed { background: $warning-muted; color: $text-warning; }
    Banner.-leaked { background: $error-muted; color: $text-error; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._session: Session | None = None
        self._problem = ""

    def update(self, session: Session | None, problem: str) -> None:
        """Show a session's outcome, or what keeps the dashboard from reading."""
        self._session, self._problem = session, problem
        for outcome in Outcome:
            self.set_class(session is not None and session.outcome is outcome, f"-{outcome.value}")
        self.refresh()

    def render(self) -> Content:
        session, width = self._session, self.content_size.width
        if session is None:
            return Content(clean(self._problem)).truncate(width, ellipsis=True)
        look = OUTCOME[session.outcome]
        counts = "  ".join(plural(session.counts.get(key, 0), noun) for key, noun in _NOUNS)
        word = f"{look.glyph} {look.word}"
        room = width - len(word) - 2
        reason = clean(session.outcome_reason) or _SEEN[session.outcome]
        show_counts = room >= len(reason) + len(counts) + 3 or room > len(counts) + 48
        said = Content(reason).truncate(max(0, room - (len(counts) + 3 if show_counts else 0)), ellipsis=True)
        line = Content.assemble((word, "bold"), "  ", said)
        if not show_counts:
            return line
        return Content.assemble(line, " " * max(3, width - line.cell_length - len(counts)), counts)
