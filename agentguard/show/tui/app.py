"""The dashboard: owns the watcher and the places, and joins them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from agentguard.model.event import Event
from agentguard.model.session import Session
from agentguard.model.verdict import Outcome
from agentguard.show.tui.acting import ActingApp
from agentguard.show.tui.attention import Attention
from agentguard.show.tui.detail_screen import DetailScreen
from agentguard.show.tui.messages import Changed, EventChosen, PlaceWanted, SessionChosen, Snapshot
from agentguard.show.tui.navigation import PLACES, place
from agentguard.show.tui.page import Desk, Page
from agentguard.show.tui.palette import JumpProvider
from agentguard.show.tui.watcher import Watcher


class AgentGuardApp(ActingApp):
    """Reads one database, which need not exist yet. It writes through the desk's `actions` alone."""

    TITLE = "AgentGuard"
    CSS_PATH = "dashboard.tcss"
    COMMANDS = App.COMMANDS | {JumpProvider}
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(one.keys, f"go('{one.name}')", one.name, show=False) for one in PLACES),
        Binding("r", "report", "Report"),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(
        self,
        desk: Desk,
        *,
        session: str = "last",
        leave_when_clean: bool = False,
        attention: Attention | None = None,
    ) -> None:
        """
        Args:
            session: a uid, a beginning of one, or `last`.
            leave_when_clean: end by itself when that session has ended, and clean.
            attention: calls a person back when the terminal is out of sight; None: nothing does.
        """
        super().__init__(replace(desk, tabs=tuple(one.tab for one in PLACES)))
        self._leaves = session if leave_when_clean else ""
        self._attention = attention
        self._watcher = Watcher(desk.home.database, self._tell, session)
        self._trail = [PLACES[0].name]
        """The places visited, the present one last."""
        self.snapshot = Snapshot()
        """What the watcher read last."""
        self.event: Event | None = None
        """The event chosen on the live page."""

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:  # noqa: ARG002
        """Of the palette, beside the way to sessions, keys and rules."""
        for one in PLACES:
            yield SystemCommand(one.name, one.says, partial(self.action_go, one.name))
        yield SystemCommand("Theme", "Choose another theme", self.action_change_theme)
        yield SystemCommand("Report", "Write this session's report and open it", self.action_report)
        yield SystemCommand("Quit", "Leave the dashboard; the session goes on", self.action_quit)

    def on_mount(self) -> None:
        self.push_screen(self._page(PLACES[0].name))
        self._watcher.start()

    def on_unmount(self) -> None:
        self._watcher.stop()

    def _tell(self, snapshot: Snapshot) -> None:
        """In the watcher's thread."""
        self.post_message(Changed(snapshot))

    @on(Changed)
    def _changed(self, message: Changed) -> None:
        self.snapshot = message.snapshot
        self._inform()
        self._call_back()
        if self._leaves and self._is_over(message.snapshot.chosen):
            self.exit()

    def _is_over(self, session: Session | None) -> bool:
        """The session that we were opened for has ended clean; whoever looks at another one now is not disturbed."""
        followed = session is not None and session.uid.startswith(self._leaves)
        return followed and session is not None and bool(session.seal) and session.outcome is Outcome.CLEAN

    def _call_back(self) -> None:
        """By the terminal itself, which is ours: nobody else writes to it."""
        if self._attention is None:
            return
        text = self._attention.call(self.snapshot, in_sight=self.app_focus, now=time.monotonic())
        if text and self._driver is not None and not self.is_headless:
            self._driver.write(text)
            self._driver.flush()

    @on(EventChosen)
    def _event_chosen(self, message: EventChosen) -> None:
        self.event = message.event
        if self._trail[-1] != PLACES[0].name:  # it came late: another place is about this event already
            self._inform()

    @on(SessionChosen)
    def _session_chosen(self, message: SessionChosen) -> None:
        self._watcher.choose(message.uid)

    @on(PlaceWanted)
    def _place_wanted(self, message: PlaceWanted) -> None:
        if message.name:
            self.action_go(message.name)
            if message.item:
                self._page(message.name).select(message.item)
        elif len(self._trail) > 1:
            self._trail.pop()
            self._switch(self._trail[-1])

    def action_go(self, name: str) -> None:
        """To another place."""
        if name != self._trail[-1]:
            self._trail = [*(one for one in self._trail if one != name), name]
            self._switch(name)

    def _switch(self, name: str) -> None:
        self.switch_screen(self._page(name))
        self._inform()

    def _page(self, name: str) -> Page:
        """The page of a place; it is made at the first visit and kept."""
        if not self.is_screen_installed(name):
            self.install_screen(place(name).make(self.desk), name)
        page = self.get_screen(name)
        assert isinstance(page, Page)
        return page

    def _inform(self) -> None:
        """The page on the screen, under whatever is over it."""
        self._page(self._trail[-1]).receive(self.snapshot, self.event)

    def acted(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, Page | DetailScreen):
                screen.again()

    def action_report(self) -> None:
        """Of the chosen session."""
        session = self.snapshot.chosen
        if session is None:
            self.notify("There is no session to report on yet.")
        else:
            self.write_report(session.uid)
