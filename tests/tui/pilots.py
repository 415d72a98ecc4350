"""Helpers of the dashboard's tests: an app with a frozen clock, and waiting for what threads bring."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

import tui_sample as sample
from textual.pilot import Pilot
from textual.widgets import Input

from agentguard.config import Home
from agentguard.dashboard import dashboard_actions
from agentguard.model.event import Event
from agentguard.show.tui.app import AgentGuardApp
from agentguard.show.tui.event_log import EventLog
from agentguard.show.tui.filter_bar import FilterBar
from agentguard.show.tui.live import LiveScreen
from agentguard.show.tui.page import Desk

WAIT = 20.0
"""Seconds after which what was waited for has failed: the machine may be busy."""


def make_app(database: Path, session: str = "last", **more: Any) -> AgentGuardApp:
    """Frozen at the sample's moment, in UTC."""
    home = Home(database.parent)
    desk = Desk(
        home=home,
        actions=dashboard_actions(home, clock=lambda: sample.NOW_NS, zone=UTC),
        user_home=sample.USER_HOME,
        clock=lambda: sample.NOW_NS,
        zone=UTC,
    )
    return AgentGuardApp(desk, session=session, **more)


def live_of(pilot: Pilot[Any]) -> LiveScreen:
    """The live screen, wherever the dashboard is."""
    screen = pilot.app.get_screen("Live")
    assert isinstance(screen, LiveScreen)
    return screen


def log_of(pilot: Pilot[Any]) -> EventLog:
    return live_of(pilot).query_one(EventLog)


async def until(pilot: Pilot[Any], holds: Callable[[], object], what: str = "") -> float:
    """Wait for it; returns the seconds it took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < WAIT, f"waited in vain for {what or holds}"
        await asyncio.sleep(0.005)
    took = time.monotonic() - began
    await pilot.pause()
    return took


async def settle(pilot: Pilot[Any]) -> None:
    """Until the first session is on the screen, all its row ids are known, and the page shows what it will show."""
    await until(pilot, lambda: len(pilot.app.screen_stack) > 1 and live_of(pilot).loaded, "the event list to be loaded")
    await until(pilot, lambda: not pilot.app.snapshot.timeline.empty, "the counts, which come after the events")
    await until(pilot, lambda: getattr(pilot.app.screen, "loaded", True), "the page to be loaded")


def text_of(pilot: Pilot[Any]) -> str:
    """All that is on the screen, line by line."""
    width, height = pilot.app.size
    lines = pilot.app.screen._compositor.render_strips(pilot.app.size)
    return "\n".join(strip.text[:width] for strip in lines[:height])


def lines_of(log: EventLog) -> list[str]:
    """The lines of the event list as they are drawn."""
    return [log.render_line(y).text for y in range(log.scrollable_content_region.height)]


@asynccontextmanager
async def dashboard(database: Path, size: tuple[int, int] = (120, 36), **more: Any) -> AsyncIterator[Pilot[Any]]:
    """Full, and ready for keys."""
    async with make_app(database, **more).run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        yield pilot


def chosen(pilot: Pilot[Any]) -> Event:
    """The event under the cursor."""
    event = log_of(pilot).chosen
    assert event is not None
    return event


async def set_filter(pilot: Pilot[Any], text: str) -> None:
    """As if it had been typed: a key at a time takes a frame each."""
    await pilot.press("slash")
    pilot.app.screen.query_one(FilterBar).query_one(Input).value = text
