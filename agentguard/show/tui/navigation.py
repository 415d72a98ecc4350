"""Every place of the dashboard, in one table: its key, its name, and how it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agentguard.show.tui.page import Desk, Page
from agentguard.show.tui.place_bar import Tab


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Made at the first visit: nobody waits for a page that nobody looks at."""

    key: str
    name: str
    glyph: str
    """One cell wide."""
    says: str
    """What is there, for the palette; one line."""
    make: Callable[[Desk], Page]
    other_keys: str = ""
    """Further keys, with commas between, as Textual names them."""

    @property
    def tab(self) -> Tab:
        return Tab(self.key, self.name, self.glyph)

    @property
    def keys(self) -> str:
        """All its keys."""
        return f"{self.key},{self.other_keys}".rstrip(",")


def _live(desk: Desk) -> Page:
    from agentguard.show.tui.live import LiveScreen

    return LiveScreen(desk)


def _session(desk: Desk) -> Page:
    from agentguard.show.tui.session_screen import SessionScreen

    return SessionScreen(desk)


def _flow(desk: Desk) -> Page:
    from agentguard.show.tui.flow_screen import FlowScreen

    return FlowScreen(desk)


def _keys(desk: Desk) -> Page:
    from agentguard.show.tui.keys_screen import KeysScreen

    return KeysScreen(desk)


def _policy(desk: Desk) -> Page:
    from agentguard.show.tui.policy_screen import PolicyScreen

    return PolicyScreen(desk)


def _sensors(desk: Desk) -> Page:
    from agentguard.show.tui.sensors_screen import SensorsScreen

    return SensorsScreen(desk)


def _help(desk: Desk) -> Page:
    from agentguard.show.tui.help_screen import HelpScreen

    return HelpScreen(desk)


PLACES = (
    Place(key="1", name="Live", glyph="●", says="Timeline, sessions and events as they come", make=_live),
    Place(
        key="2", name="Session", glyph="▤", says="Its facts, and its processes with what each touched", make=_session
    ),
    Place(key="3", name="Flow", glyph="▶", says="Who read what, and where it went", make=_flow),
    Place(key="4", name="Keys", glyph="◆", says="Every credential, and what to rotate first", make=_keys),
    Place(key="5", name="Sensors", glyph="◉", says="Health, proof, and what could not be seen", make=_sensors),
    Place(key="6", name="Policy", glyph="≡", says="The rules in force, and why they decided so", make=_policy),
    Place(
        key="7",
        name="Help",
        glyph="?",
        says="Keys, filters and words",
        make=_help,
        other_keys="question_mark,f1",
    ),
)
"""The first one is where the dashboard begins."""


def place(name: str) -> Place:
    """By its name."""
    return next(one for one in PLACES if one.name == name)
