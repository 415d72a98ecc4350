"""The line where a filter is typed. It says at once what it does not understand."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalGroup, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static

from agentguard.record.reader import EventQuery
from agentguard.show.tui.filters import HINT, FilterError, parse_filter
from agentguard.show.tui.messages import FilterClosed, FilterTyped

SETTLE = 0.15
"""Seconds after the last key before what was typed is applied."""


class FilterBar(Vertical):
    """Filters as one types; enter keeps the filter, esc removes it. One that cannot be read hides nothing."""

    DEFAULT_CSS = """
    FilterBar { height: auto; display: none; background: $surface; }
    FilterBar.-open { display: block; }
    FilterBar #filter-label { width: 3; padding: 0 1; color: $text-primary; text-style: bold; }
    FilterBar Input { width: 1fr; height: 1; padding: 0; border: none; background: $surface; }
    FilterBar #filter-says { display: none; padding: 0 3; color: $text-error; }
    FilterBar.-wrong #filter-says { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "clear", "Clear filter")]

    _settle: Timer | None = None

    def compose(self) -> ComposeResult:
        with HorizontalGroup():
            yield Static("/", id="filter-label", markup=False)
            box = Input(placeholder=HINT, compact=True)
            box.cursor_blink = False
            yield box
        yield Static("", id="filter-says", markup=False)

    def open(self) -> None:
        """Show it and put the cursor into it."""
        self.add_class("-open")
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._settle is not None:
            self._settle.stop()
        try:
            query, problem = parse_filter(event.value), ""
        except FilterError as error:
            query, problem = EventQuery(), str(error)
        self.set_class(bool(problem), "-wrong")
        self.query_one("#filter-says", Static).update(Content(problem))
        self._settle = self.set_timer(SETTLE, lambda: self.post_message(FilterTyped(query)))

    @on(Input.Submitted)
    def _kept(self, event: Input.Submitted) -> None:
        event.stop()
        self.set_class(bool(event.value.strip()), "-open")
        self.post_message(FilterClosed())

    def action_clear(self) -> None:
        self.query_one(Input).value = ""
        self.remove_class("-open")
        self.post_message(FilterClosed())
