"""The line where a filter is typed. It says at once what it does not understand, and offers what may come next."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import tzinfo
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalGroup, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static

from agentguard.record.reader import EventQuery
from agentguard.show.filters.completion import Known, Offers, nothing_known, offers
from agentguard.show.filters.errors import FilterError
from agentguard.show.filters.language import parse_filter
from agentguard.show.tui.messages import FilterClosed, FilterTyped
from agentguard.show.tui.words import MUTED, clean

SETTLE = 0.15
"""Seconds after the last key before what was typed is applied."""
HINT = "severity>=high  kind:file,http  host:paste.example  since:10m  -word  or any words"


class FilterBar(Vertical):
    """Filters as one types; enter keeps the filter, esc removes it. One that cannot be read hides nothing."""

    DEFAULT_CSS = """
    FilterBar { height: auto; display: none; background: $surface; }
    FilterBar.-open { display: block; }
    FilterBar #filter-label { width: 3; padding: 0 1; color: $text-primary; text-style: bold; }
    FilterBar Input { width: 1fr; height: 1; padding: 0; border: none; background: $surface; }
    FilterBar #filter-says { height: auto; max-height: 2; padding: 0 3; }
    FilterBar.-wrong #filter-says { color: $text-error; }
    FilterBar.-left #filter-says { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "Clear filter"),
        Binding("tab", "complete", "Complete", priority=True),
    ]

    _settle: Timer | None = None

    def __init__(
        self, *, clock: Callable[[], int] = time.time_ns, zone: tzinfo | None = None, known: Known = nothing_known
    ) -> None:
        """`known`: values that the record holds for a key, to be offered."""
        super().__init__()
        self._clock = clock
        self._zone = zone
        self._known = known
        self._offers = Offers(0)

    def compose(self) -> ComposeResult:
        with HorizontalGroup():
            yield Static("/", id="filter-label", markup=False)
            box = Input(placeholder=HINT, compact=True)
            box.cursor_blink = False
            yield box
        yield Static("", id="filter-says", markup=False)

    def open(self, text: str | None = None) -> None:
        """Show it and put the cursor into it; with another filter in it, where one is given."""
        self.remove_class("-left")
        self.add_class("-open")
        box = self.query_one(Input)
        if text is not None:
            box.value = text
            box.cursor_position = len(text)
        box.focus()
        self._say(self._problem(box.value)[1], box.value)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._settle is not None:
            self._settle.stop()
        query, problem = self._problem(event.value)
        self._say(problem, event.value)
        self._settle = self.set_timer(SETTLE, lambda: self.post_message(FilterTyped(query)))

    @on(Input.Submitted)
    def _kept(self, event: Input.Submitted) -> None:
        event.stop()
        self.set_class(bool(event.value.strip()), "-open")
        self.add_class("-left")
        self.post_message(FilterClosed())

    def action_clear(self) -> None:
        self.query_one(Input).value = ""
        self.remove_class("-open")
        self.post_message(FilterClosed())

    def action_complete(self) -> None:
        """Take the first offer."""
        box = self.query_one(Input)
        if self._offers.texts:
            box.value = self._offers.applied(box.value, self._offers.texts[0])
            box.cursor_position = len(box.value)

    def _problem(self, text: str) -> tuple[EventQuery, str]:
        try:
            return parse_filter(text, self._clock(), self._zone), ""
        except FilterError as error:
            return EventQuery(), str(error)

    def _say(self, problem: str, text: str) -> None:
        """What is wrong; where nothing is, or something is only not finished, what may come next."""
        self._offers = offers(text, self._known)
        unfinished = text[self._offers.start :] == "" and not text.endswith(" ") and bool(self._offers.texts)
        wrong = bool(problem) and not unfinished
        self.set_class(wrong, "-wrong")
        said = Content(clean(problem)) if wrong else _offered(self._offers)
        self.query_one("#filter-says", Static).update(said)


def _offered(found: Offers) -> Content:
    """The first is what the tab key takes."""
    if not found.texts:
        return Content.styled(clean(found.says), MUTED)
    first, *rest = (clean(text) for text in found.texts)
    return Content.assemble(("tab ", MUTED), (first, "bold"), ("   " + "   ".join(rest), MUTED))
