"""The answer in two lines: is everything fine, and what to do next."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from agentguard.model.session import Session
from agentguard.model.verdict import Outcome
from agentguard.show.tui.messages import CauseWanted, Snapshot
from agentguard.show.tui.standing import Standing, standing_of
from agentguard.show.tui.words import clean, plural

_NOUNS = (("reads", "read"), ("sends", "send"), ("flows", "flow"))
_ROOMY = 100
"""From this width on the counts stand beside the sentence."""


class Banner(Widget):
    """A click goes to the event that is the cause."""

    DEFAULT_CSS = """
    Banner { height: auto; max-height: 3; padding: 0 1; background: $surface; }
    Banner.-clean { background: $success-muted; color: $text-success; }
    Banner.-unknown { background: $accent-muted; color: $text-accent; }
    Banner.-exposed { background: $warning-muted; color: $text-warning; }
    Banner.-leaked { background: $error-muted; color: $text-error; }
    Banner:ansi { background: ansi_default; text-style: bold; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._standing: Standing | None = None
        self._counts = ""
        self._problem = ""

    def update(self, snapshot: Snapshot) -> None:
        """Show how it stands with the chosen session, or what keeps the dashboard from reading."""
        session = snapshot.chosen
        standing = standing_of(session, snapshot.cause, guarded=session.uid not in snapshot.died) if session else None
        counts = _counts(session) if session else ""
        if (standing, counts, snapshot.problem) == (self._standing, self._counts, self._problem):
            return
        self._standing, self._counts, self._problem = standing, counts, snapshot.problem
        for outcome in Outcome:
            self.set_class(standing is not None and standing.tone == outcome.value, f"-{outcome.value}")
        self.refresh(layout=True)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(CauseWanted())

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """In the width it is about to get: before the first layout it has none."""
        return len(self._lines(width))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.content_size.width))

    def _lines(self, width: int) -> list[Content]:
        standing = self._standing
        if standing is None or self._problem or width < 1:
            return [Content(clean(self._problem))]
        label = len(f"{standing.look.glyph} {standing.look.word}") + 2
        word = Content.styled(f"{standing.look.glyph} {standing.look.word}  ", "bold")
        room = max(8, width - label)
        counts = self._counts if width >= _ROOMY else ""
        wrapped = Content(standing.sentence).wrap(max(8, room - len(counts) - 2 * bool(counts)))
        first, *rest = wrapped or [Content()]
        lines = [_spread(word + first, counts, width)]
        if rest:
            more = rest[0] if len(rest) == 1 else rest[0].truncate(max(1, rest[0].cell_length - 1)) + "…"
            lines.append(Content(" " * label) + more)
        then = Content.assemble(("→".ljust(label), "bold"), (standing.then, "bold"))
        return [*lines, then.truncate(width, ellipsis=True)]


def _counts(session: Session) -> str:
    return "  ".join(plural(session.counts[key], noun) for key, noun in _NOUNS if key in session.counts)


def _spread(left: Content, right: str, width: int) -> Content:
    """`left` at the left, `right` at the right."""
    return Content.assemble(left, " " * max(0, width - left.cell_length - len(right)), right)
