"""Each screen as a picture, at the two sizes a terminal most often has, with a frozen clock.

After a wanted change: `pytest tests/tui/test_tui_snapshots.py --snapshot-update`, and look at the pictures.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pilots import make_app, settle, text_of, until
from textual.pilot import Pilot

from agentguard.show.tui.filter_bar import SETTLE

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
Compare = Callable[..., bool]


def after(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Wait until the dashboard is full, then press."""

    async def run(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        await pilot.press(*keys)
        await pilot.pause(2 * SETTLE if "slash" in keys else 0)
        await settle(pilot)

    return run


SCREENS = {
    "live": (),
    "paused": ("home", "n"),
    "detail": ("enter",),
    "session": ("2",),
    "sensors": ("5",),
    "help": ("question_mark",),
    "sessions": ("l",),
    "filter_wrong": ("slash", *"severity>=loud"),
}


@SIZES
@pytest.mark.parametrize("name", SCREENS)
def test_screen(snap_compare: Compare, database: Path, name: str, size: tuple[int, int]) -> None:
    app = make_app(database)
    assert snap_compare(app, terminal_size=size, run_before=after(*SCREENS[name]))


@SIZES
def test_sensors_with_gaps(snap_compare: Compare, database: Path, size: tuple[int, int]) -> None:
    app = make_app(database, session="01KG3HZ")
    assert snap_compare(app, terminal_size=size, run_before=after("5"))


@SIZES
def test_clean(snap_compare: Compare, database: Path, size: tuple[int, int]) -> None:
    app = make_app(database, session="01KG3Q")
    assert snap_compare(app, terminal_size=size, run_before=after())


@SIZES
def test_empty(snap_compare: Compare, home: Path, size: tuple[int, int]) -> None:
    async def run(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: "agentguard run" in text_of(pilot), "the empty state")

    assert snap_compare(make_app(home / "agentguard.db"), terminal_size=size, run_before=run)
