"""Keys, words and the filter language on one page."""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from agentguard.model.verdict import Outcome, Severity
from agentguard.show.tui.messages import Snapshot
from agentguard.show.tui.page import Page
from agentguard.show.tui.words import OUTCOME, SEVERITY

KEYS = (
    ("↑ ↓  PgUp PgDn  Home", "move among the events; this pauses"),
    ("f, End", "follow the newest event again"),
    ("n  N", "next, previous finding (an alert, or blocked)"),
    ("Enter", "all of one event: flow, processes, verdict"),
    ("/", "filter; Esc removes it"),
    ("l", "sessions; Enter chooses one"),
    ("z", "the timeline's span: all, 30 minutes, 5 minutes"),
    ("← →", "in the timeline: to the moment before or after; in the tree: fold, unfold"),
    ("a", "in the session's tree: those too that touched nothing"),
    ("1 … 7", "the places named in the first line; Esc goes back"),
    ("r", "the command that writes this session's report"),
    ("c", "copy the event's uid"),
    ("Tab", "next panel"),
    ("Ctrl+P", "commands and themes"),
    ("q", "quit; the session goes on"),
)
FILTERS = (
    ("severity>=high", "at least this: info, low, medium, high, critical"),
    ("kind:file,http", "file, command, environment, http, network, gap"),
    ("host:paste.example", "this host and those under it"),
    ("process:curl", "a program's name, or a pid"),
    ("session:last", "another session, by the beginning of its uid"),
    ("any words", "found in subjects, paths, hosts, names"),
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
    HelpScreen VerticalScroll { height: 1fr; padding: 0 1; }
    """
    PLACE = "Help"

    def body(self) -> Iterable[Widget]:
        body = VerticalScroll(Static(help_content()))
        body.border_title = "Help"
        yield body

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def show(self, snapshot: Snapshot) -> None:
        """Says the same whatever happens."""


def help_content() -> Content:
    """Wraps freely."""
    lines = [_heading("Keys"), *(_line(key, text) for key, text in KEYS)]
    lines += [Content(""), _heading("Filter: all must hold"), *(_line(key, text) for key, text in FILTERS)]
    lines += [Content(""), _heading("Outcome of a session")]
    for outcome, meaning in MEANING.items():
        look = OUTCOME[outcome]
        lines.append(Content.assemble((f"{look.glyph} {look.word:<20}", look.style), meaning))
    lines += [Content(""), _heading("Severity")]
    looks = (SEVERITY[severity] for severity in Severity)
    lines.append(Content("   ").join(Content.styled(f"{look.glyph} {look.word}", look.style) for look in looks))
    return Content("\n").join(lines)


def _heading(text: str) -> Content:
    return Content.styled(text, "bold underline $text-primary")


def _line(key: str, text: str) -> Content:
    return Content.assemble((f"{key:<22}", "bold"), text)
