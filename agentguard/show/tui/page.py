"""What all places of the dashboard share: what they are given, their frame, and how news reach them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import tzinfo
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget

from agentguard.config import Home
from agentguard.model.event import Event
from agentguard.record.reader import Reader
from agentguard.show.tui.actions import Actions
from agentguard.show.tui.banner import Banner
from agentguard.show.tui.header import Header
from agentguard.show.tui.key_bar import KeyBar
from agentguard.show.tui.messages import PlaceWanted, Snapshot
from agentguard.show.tui.place_bar import PlaceBar, Tab


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What every place is given."""

    home: Home
    actions: Actions
    user_home: str = ""
    """Paths below it are shown with `~`; "" when there is none."""
    clock: Callable[[], int] = time.time_ns
    """Now, ns since the epoch."""
    zone: tzinfo | None = None
    """Of the times shown; None for the machine's own."""
    tabs: tuple[Tab, ...] = ()
    """All places, for the bar at the top; the App fills it in."""

    def reader(self) -> Reader:
        """A connection of one's own: whoever takes it closes it."""
        return Reader(self.home.database)


class Page(Screen[None]):
    """One place: the bar of places, header and banner above, `body` between, the keys below.

    `show` is called with each snapshot while the page is on the screen, and when it comes back to it.
    """

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  (Textual declares it so)
        (0, "-narrow"),
        (110, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-tiny"),
        (20, "-short"),
        (30, "-tall"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back", show=False)]
    PLACE: ClassVar[str] = ""
    """Name of its place."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.snapshot = Snapshot()
        """What the watcher read last."""
        self.loaded = True
        """All that there is to show is shown; a page that reads in a thread says when."""
        self.event: Event | None = None
        """The event chosen on the live page: what other pages are about."""

    def compose(self) -> ComposeResult:
        yield PlaceBar(self.desk.tabs, self.PLACE)
        yield Header(home=self.desk.user_home, zone=self.desk.zone)
        yield Banner()
        yield from self.body()
        yield KeyBar()

    def body(self) -> Iterable[Widget]:
        """The widgets of this page."""
        raise NotImplementedError

    def show(self, snapshot: Snapshot) -> None:
        """Take in what the watcher read. Called once mounted."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self._clock = self.set_interval(1.0, self.tick)
        self._draw()

    def on_screen_suspend(self) -> None:
        """Nobody looks: nothing but news is drawn."""
        self._clock.pause()

    def on_screen_resume(self) -> None:
        self._clock.resume()

    def receive(self, snapshot: Snapshot, event: Event | None) -> None:
        """News from the watcher, or from another page."""
        self.snapshot, self.event = snapshot, event
        if self.is_mounted:
            self._draw()

    def tick(self) -> None:
        """Once a second, and at every change: what depends on the time."""
        now = self.desk.clock()
        self.query_one(Header).update(self.snapshot, now)
        self.query_one(Banner).update(self.snapshot)

    def _draw(self) -> None:
        self.show(self.snapshot)
        self.tick()

    def select(self, item: str) -> None:
        """Choose what has this id, where the place has such a thing."""

    def again(self) -> None:
        """Something was done: what is shown may be out of date."""
        self._draw()

    def action_back(self) -> None:
        self.post_message(PlaceWanted(""))
