"""The answer in one line: is everything fine, and if not, why."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from agentguard.model.session import Session
from agentguard.model.verdict import Outcome
from agentguard.show.tui.words import OUTCOME, clean, plural

_SEEN = {
    Outcome.CLEAN: "Nothing went where it should not go.",
    Outcome.UNKNOWN: "Something could not be seen; 5 says what.",
    Outcome.EXPOSED: "The model provider received a credential.",
    Outcome.LEAKED: "A credential went to a host that is not its issuer.",
}
_NOUNS = (("reads", "read"), ("sends", "send"), ("flows", "flow"))


class Banner(Widget):
    """Outcome, its reason, and what was counted."""

    DEFAULT_CSS = """
    Banner { height: auto; max-height: 2; padding: 0 1; background: $surface; }
    Banner.-clean { background: $success-muted; color: $text-success; }
    Banner.-unknown { background: $accent-muted; color: $text-accent; }
    Banner.-exposed { background: $warning-muted; color: $text-warning; }
    Banner.-leaked { background: $error-muted; color: $text-error; }
    Banner:ansi { background: ansi_default; text-style: bold; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._session: Session | None = None
        self._problem = ""

    def update(self, session: Session | None, problem: str) -> None:
        """Show a session's outcome, or what keeps the dashboard from reading."""
        shown = (self._session.outcome, self._session.outcome_reason, self._session.counts) if self._session else None
        new = (session.outcome, session.outcome_reason, session.counts) if session else None
        if new == shown and problem == self._problem:
            return
        self._session, self._problem = session, problem
        for outcome in Outcome:
            self.set_class(session is not None and session.outcome is outcome, f"-{outcome.value}")
        self.refresh(layout=True)

    def render(self) -> Content:
        session, width = self._session, self.content_size.width or self.size.width
        if session is None or self._problem or width < 1:
            return Content(clean(self._problem))
        look = OUTCOME[session.outcome]
        word = f"{look.glyph} {look.word}  "
        counted = [plural(session.counts[key], noun) for key, noun in _NOUNS if key in session.counts]
        counts = "   " + "  ".join(counted)
        reason = Content(clean(session.outcome_reason) or _SEEN[session.outcome])
        first, *rest = reason.wrap(max(8, width - len(word))) or [Content()]
        line = Content.assemble((word, "bold"), first)
        if not rest and line.cell_length + len(counts) <= width:
            return _spread(line, counts, width)
        if not rest:
            return line
        second = Content(" " * len(word)) + rest[0].truncate(max(8, width - len(word) - len(counts)), ellipsis=True)
        return Content("\n").join([line, _spread(second, counts, width)])


def _spread(left: Content, right: str, width: int) -> Content:
    """`left` at the left, `right` at the right."""
    return Content.assemble(left, " " * (width - left.cell_length - len(right)), right)
