"""The dashboard: owns the watcher and the screens, and joins them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import tzinfo
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from agentguard.command_name import command
from agentguard.show.tui.feed import Feed
from agentguard.show.tui.help_screen import HelpScreen
from agentguard.show.tui.live import LiveScreen
from agentguard.show.tui.messages import Changed, SessionChosen, Snapshot
from agentguard.show.tui.sensors_screen import SensorsScreen
from agentguard.show.tui.watcher import Watcher


class AgentGuardApp(App[None]):
    """Reads one database, which need not exist yet; writes nothing."""

    TITLE = "AgentGuard"
    CSS_PATH = "dashboard.tcss"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sensors", "Sensors"),
        Binding("r", "report", "Report"),
        Binding("question_mark,f1", "help", "Help", key_display="?"),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(
        self,
        database: Path,
        *,
        session: str = "last",
        clock: Callable[[], int] = time.time_ns,
        zone: tzinfo | None = None,
        user_home: str = "",
    ) -> None:
        """`session`: a uid, a beginning of one, or `last`. `zone`: of the times shown; None for the machine's own."""
        super().__init__()
        self._feed = Feed(database)
        self._watcher = Watcher(database, self._tell, session)
        self._live = LiveScreen(self._feed, clock=clock, zone=zone, user_home=user_home)
        self.snapshot = Snapshot()
        """What the watcher read last."""

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:  # noqa: ARG002
        """Of the palette: none that writes a file."""
        yield SystemCommand("Theme", "Choose another theme", self.action_change_theme)
        yield SystemCommand("Sensors", "Health, proof, and what could not be seen", self.action_sensors)
        yield SystemCommand("Report", "The command that writes this session's report", self.action_report)
        yield SystemCommand("Help", "Keys, filters and words", self.action_help)
        yield SystemCommand("Quit", "Leave the dashboard; the session goes on", self.action_quit)

    def on_mount(self) -> None:
        self.push_screen(self._live)
        self._watcher.start()

    def on_unmount(self) -> None:
        self._watcher.stop()
        self._feed.reader.close()

    def _tell(self, snapshot: Snapshot) -> None:
        """In the watcher's thread."""
        self.post_message(Changed(snapshot))

    @on(Changed)
    def _changed(self, message: Changed) -> None:
        self.snapshot = message.snapshot
        for screen in self.screen_stack:
            if isinstance(screen, LiveScreen | SensorsScreen):
                screen.show(message.snapshot)

    @on(SessionChosen)
    def _session_chosen(self, message: SessionChosen) -> None:
        self._watcher.choose(message.uid)

    def action_sensors(self) -> None:
        if not isinstance(self.screen, SensorsScreen):
            self.push_screen(SensorsScreen(self._feed, self.snapshot))

    def action_help(self) -> None:
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen())

    def action_report(self) -> None:
        """Writes nothing: says how."""
        session = self.snapshot.chosen
        if session is None:
            self.notify("There is no session to report on yet.")
            return
        typed = f"{command()} report --session {session.uid}"
        self.copy_to_clipboard(typed)
        self.notify(f"{typed}\n(in the clipboard)", title="Report", markup=False, timeout=8)
