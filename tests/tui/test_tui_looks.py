"""At every size, in every theme, without colour, with names that would do harm: it can be read, and it runs on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tui_sample as sample
from pilots import dashboard, lines_of, log_of, settle, text_of
from rich.color import ColorTriplet
from textual.pilot import Pilot
from textual.theme import BUILTIN_THEMES

from agentguard.record.writer import Writer

SHOP, SHOP_EVENTS = sample.shop_session()
SIZES = (
    (80, 24),
    (81, 20),
    (100, 30),
    (109, 29),
    (110, 30),
    (132, 43),
    (200, 60),
    (60, 16),
    (40, 12),
    (20, 6),
    (120, 36),
)
READABLE = 3.0
"""WCAG's least contrast for large or bold text, and for what is not text alone; ordinary text is measured as well."""
LINES = frozenset("·╵│─╭╮╰╯├└┌▁▂▃▄▅▆▇█▏▎▍▌▋▊▉… ")
"""What draws, and says nothing by itself."""


async def test_every_size_shows_the_outcome_and_follows(database: Path) -> None:
    async with dashboard(database) as pilot:
        for width, height in SIZES:
            await pilot.resize_terminal(width, height)
            await pilot.pause(0.02)
            log = log_of(pilot)
            assert log.following
            if height >= 12:
                assert "▲ LEAKED" in text_of(pilot)
                assert "leak" in lines_of(log)[-1] or width < 60, f"{width}x{height}"
            for page in ("2", "1"):
                await pilot.press(page)
                await settle(pilot)
                assert max(map(len, text_of(pilot).splitlines())) <= width


def cells(pilot: Pilot[Any]) -> Iterator[tuple[str, ColorTriplet, ColorTriplet]]:
    """Runs of text on the screen, with their colour and the one behind them."""
    for strip in pilot.app.screen._compositor.render_strips(pilot.app.size):
        for segment in strip:
            style = segment.style
            if style is None or set(segment.text) <= LINES or style.color is None or style.bgcolor is None:
                continue
            front, back = style.color.triplet, style.bgcolor.triplet
            if front is not None and back is not None:
                yield segment.text, *((back, front) if style.reverse else (front, back))


def luminance(colour: ColorTriplet) -> float:
    """WCAG 2's relative luminance."""
    parts = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in colour.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(front: ColorTriplet, back: ColorTriplet) -> float:
    """1 to 21."""
    dark, light = sorted((luminance(front), luminance(back)))
    return (light + 0.05) / (dark + 0.05)


def unreadable(pilot: Pilot[Any]) -> list[str]:
    """What has too little contrast."""
    found = {(text.strip(), round(contrast(front, back), 2)) for text, front, back in cells(pilot)}
    return sorted(f"{ratio} {text!r}" for text, ratio in found if ratio < READABLE)


async def test_every_theme_can_be_read(database: Path) -> None:
    async with dashboard(database) as pilot:
        wrong, before = {}, None
        for number, theme in enumerate(BUILTIN_THEMES):
            pilot.app.theme = theme
            await pilot.press("2" if number % 2 else "1")
            await settle(pilot)
            if not number % 2:
                styles = [segment.style for segment in log_of(pilot).render_line(3)]
                assert styles != before, f"{theme}: lines were not drawn anew"
                before = styles
            if found := unreadable(pilot):
                wrong[theme] = found
        assert wrong == {}


async def test_without_colour_all_of_it_is_grey(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with dashboard(database) as pilot:
        assert pilot.app.no_color
        for word in ("● LIVE", "▲ LEAKED", "■ CRIT", "◆ MED", "· INFO", "‹all›", "● following"):
            assert word in text_of(pilot), "a word and a glyph say it"


HOSTILE = (
    "\x1b]0;owned\x07\x1b[2J[red]x[/red]\u202egnp.\udcffenv\n\t[@click=app.quit]q[/]" + "a\u0301\u0302\u0303\u0304" * 50
)


async def test_hostile_text_is_text(database: Path, writer: Writer) -> None:
    finding, verdict = SHOP_EVENTS[-1]
    process = finding.process
    assert process is not None
    process = replace(process, name=HOSTILE, exe=HOSTILE, cmdline=(HOSTILE,) * 3)
    match = replace(finding.matches[0], name=HOSTILE, preview=HOSTILE, place=HOSTILE, encoding=(HOSTILE,), type=HOSTILE)
    hostile = replace(
        finding, uid="hostile", subject=HOSTILE, path=HOSTILE, host=HOSTILE, process=process, matches=(match,)
    )
    session = replace(
        SHOP, agent_name=HOSTILE, agent="unknown", cwd=HOSTILE, outcome_reason=HOSTILE, command=(HOSTILE,)
    )
    writer.append(hostile, replace(verdict, reason=HOSTILE, rule=HOSTILE))
    writer.update_session(session)
    writer.flush(10)
    async with dashboard(database, (200, 60)) as pilot:
        for size in ((200, 60), (80, 24)):
            await pilot.resize_terminal(*size)
            for keys in ((), ("enter",), ("escape", "2"), ("escape", "5"), ("escape", "1", "l")):
                await pilot.press(*keys)
                await pilot.pause()
                screen = text_of(pilot)
                assert not set(screen) & set("\x1b\x07\u202e\t\udcff")
                assert pilot.app.is_running
            assert "[red]x[/red]" in screen
            await pilot.press("escape")
