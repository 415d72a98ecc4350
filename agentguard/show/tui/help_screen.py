"""Keys of every place, the filter language and the signs, on one page."""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import HorizontalGroup, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from agentguard.model.verdict import Outcome, Severity
from agentguard.show.filters.keys import KEYS as FILTER_KEYS
from agentguard.show.tui.lines import Line, blank, heading, joined
from agentguard.show.tui.messages import Snapshot
from agentguard.show.tui.page import Page
from agentguard.show.tui.words import MARK, OUTCOME, SENSOR, SEVERITY, Look

KEY, EXAMPLE = 16, 21
"""Cells of a key; of an example or a word."""
KEYS = {
    "Everywhere": (
        ("1 … 7", "the places named in the first line; Esc goes back"),
        ("↑ ↓  PgUp PgDn", "move; j k g G as well; the mouse, too"),
        ("Tab", "next panel"),
        ("Ctrl+P", "any action, session, key or rule by a part of its name; themes"),
        ("r", "write this session's report, and open it"),
        ("u", "take back what was done last"),
        ("q", "quit; the session goes on"),
    ),
    "With the chosen event": (
        ("m", "seen: n passes it by; once more takes that back"),
        ("e", "expected: shows the rule for your policy, then writes it"),
        ("t", "its credential was rotated"),
        ("c", "copy what to do, the fingerprint, the event as JSON, …"),
        ("Enter", "all of it: flow, processes, verdict"),
    ),
    "Live": (
        ("n  N", "next, previous finding that nobody has looked at"),
        ("/", "filter; Tab completes, Esc removes it"),
        ("f, End", "follow the newest event; any move pauses"),
        ("l", "sessions; Enter chooses one"),
        ("z", "the timeline's span: all, 30 minutes, 5 minutes"),
        ("← →", "in the timeline: to the moment before or after"),
    ),
    "Session": (("a", "those too that touched nothing"), ("← →  Enter", "fold and unfold")),
    "Flow  Keys  Policy": (
        ("[  ]", "scroll the picture"),
        ("Enter", "a flow's send among the events; else into the picture"),
        ("t  c", "in Keys: rotated, copy the fingerprint"),
    ),
}
WORDS = (
    ("-kind:gap", "turned round"),
    ("a,b   *   ?", "either of two; any text; any sign"),
    ('words  "two words"', "in subjects, paths, hosts, commands, names"),
)
MEANING = {
    Outcome.CLEAN: "nothing went where it should not; all was seen",
    Outcome.UNKNOWN: "a gap means that it cannot be called clean",
    Outcome.EXPOSED: "a model provider received a credential in a prompt",
    Outcome.LEAKED: "anyone else received one",
}


class HelpScreen(Page):
    """Goes back to where it was asked for."""

    DEFAULT_CSS = """
    HelpScreen {
        VerticalScroll { height: 1fr; padding: 0 1; }
        #help Static { width: 1fr; }
        &.-narrow #help { layout: vertical; height: auto; }
        &.-narrow #help Static { width: 100%; height: auto; }
    }
    """
    PLACE = "Help"

    def body(self) -> Iterable[Widget]:
        body = VerticalScroll(HorizontalGroup(Static(id="help-keys"), Static(id="help-words"), id="help"))
        body.border_title = "Help"
        yield body

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._lay_out)

    def show(self, snapshot: Snapshot) -> None:
        """Says the same whatever happens."""

    def _lay_out(self) -> None:
        room = self.query_one(VerticalScroll).scrollable_content_region.width
        narrow = self.has_class("-narrow")
        width = room if narrow else room // 2 - 3
        keys = key_lines() + ([blank()] if narrow else [])
        self.query_one("#help-keys", Static).update(joined(keys, width))
        self.query_one("#help-words", Static).update(joined(word_lines(), width))


def key_lines() -> list[Line]:
    """What each key does, by place."""
    lines: list[Line] = []
    for place, keys in KEYS.items():
        lines += [*([blank()] if lines else []), heading(place), *(_line(key, text, KEY) for key, text in keys)]
    return lines


def word_lines() -> list[Line]:
    """The filter language, and what the signs mean."""
    lines = [heading("Filter: all must hold")]
    lines += [_line(key.example, key.means) for key in FILTER_KEYS.values()]
    lines += [_line(example, means) for example, means in WORDS]
    lines += [blank(), heading("Outcome of a session")]
    lines += [_look(OUTCOME[outcome], meaning) for outcome, meaning in MEANING.items()]
    return [*lines, blank(), heading("Severity, what you said, the sensors"), _signs(SEVERITY[one] for one in Severity),
            _signs(MARK.values()), _signs(SENSOR.values())]  # fmt: skip


def _line(key: str, text: str, column: int = EXAMPLE) -> Line:
    return Line(Content.assemble((key.ljust(column), "bold"), text), column)


def _look(look: Look, text: str) -> Line:
    return Line(Content.assemble((f"{look.glyph} {look.word}".ljust(EXAMPLE), look.style), text), EXAMPLE)


def _signs(looks: Iterable[Look]) -> Line:
    return Line(Content("   ").join(Content.styled(f"{look.glyph} {look.word}", look.style) for look in looks))
