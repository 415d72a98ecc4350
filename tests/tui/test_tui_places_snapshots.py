"""Flow, keys, policy and the questions over them as pictures, and with names that mean harm.

After a wanted change: `pytest tests/tui/test_tui_places_snapshots.py --snapshot-update`, and look at the pictures.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pilots import make_app, settle, text_of, until
from textual.pilot import Pilot

from agentguard.show.tui.list_page import ListPage

SMALL, USUAL = (80, 24), (120, 36)
Compare = Callable[..., bool]


def after(*keys: str, wait: str = "") -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Press once the dashboard is full, and wait for the list, and for a text."""

    async def run(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        for key in keys:
            await pilot.press(key)
            await until(pilot, lambda: read(pilot), "the list to be read")
        await until(pilot, lambda: wait in text_of(pilot), wait)

    return run


def read(pilot: Pilot[Any]) -> bool:
    screen = pilot.app.screen
    return screen.loaded if isinstance(screen, ListPage) else True


@pytest.mark.parametrize(
    ("size", "keys", "wait"),
    [
        pytest.param(SMALL, "3", "paste.example", id="flow-80x24"),
        pytest.param(USUAL, "3", "paste.example", id="flow-120x36"),
        pytest.param(SMALL, "4", "leaked", id="keys-80x24"),
        pytest.param(USUAL, "4", "leaked", id="keys-120x36"),
        pytest.param(SMALL, "6", "Why?", id="policy-80x24"),
        pytest.param(USUAL, "6", "Why?", id="policy-120x36"),
        pytest.param(SMALL, "e", "Enter write it", id="expect-80x24"),
        pytest.param(USUAL, "3de", "Enter write it", id="expect-120x36"),
        pytest.param(SMALL, "t", "Enter mark it", id="rotate-80x24"),
        pytest.param(SMALL, "c", "The event as JSON", id="copy-80x24"),
    ],
)
def test_place(snap_compare: Compare, database: Path, home: Path, size: tuple[int, int], keys: str, wait: str) -> None:
    pressed = [{"d": "down"}.get(key, key) for key in keys]
    app = make_app(database)
    if "e" in keys:  # which names the policy's place
        app.desk = replace(app.desk, user_home=str(home))
    assert snap_compare(app, terminal_size=size, run_before=after(*pressed, wait=wait))
