"""Names that mean harm, in every place and over every question: shown, and obeyed by nobody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pilots import make_app, settle, text_of, until
from record_builders import START, gap, match, process, read, send, session
from textual.pilot import Pilot

from agentguard.config import open_home
from agentguard.model.finding import Gap
from agentguard.model.observation import GapType
from agentguard.record.writer import Writer
from agentguard.show.tui.list_page import ListPage

EVIL = "[red]x[/] [@click=app.quit]y[/] \x1b]0;pwned\x07\x1b[31m \u202egnp.exe\u2066 \u200b=cmd|' /C calc'!A0 <b>&"
SHOWN = "[red]x[/] [@click=app.quit]y[/]"
HARM = ("\x1b", "\x07", "\u202e", "\u2066", "\u200b")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A session in which everything that anyone may name is named so."""
    home = open_home(tmp_path / ".agentguard")
    writer = Writer(home)
    writer.start()
    writer.begin_session(
        session("s-evil", agent=EVIL, agent_name=EVIL, command=(EVIL,), cwd=f"/{EVIL}", start_ns=START)
    )
    who = process(name=EVIL, exe=f"/{EVIL}", cmdline=(EVIL, EVIL))
    secret = match(name=EVIL, source_path=f"/{EVIL}", place=f"header:{EVIL}")
    first = {"session": "s-evil", "process": who, "matches": (secret,)}
    writer.append(*read(1, **first, subject=EVIL, path=f"/{EVIL}"))
    sent, leak = send(2, **first, of="s-evil-e1", host=EVIL, subject=f"POST https://{EVIL}/{EVIL}")
    unseen, verdict = gap(3, session="s-evil", process=who, subject=EVIL)
    detail = Gap(type=GapType.IO_URING, sensor=EVIL, detail=EVIL, remedy=EVIL)
    writer.append(replace(unseen, gap=detail), replace(verdict, reason=EVIL))
    writer.append(sent, replace(leak, reason=EVIL, rule=f"policy.yaml:{EVIL}"))
    writer.flush(20)
    writer.close()
    return home.database


def is_harmless(pilot: Pilot[Any]) -> bool:
    return not any(sign in text_of(pilot) for sign in HARM)


@pytest.mark.parametrize("size", [(80, 24), (200, 60)], ids=["80x24", "200x60"])
async def test_hostile_names_are_shown_harmlessly_everywhere(database: Path, size: tuple[int, int]) -> None:
    async with make_app(database).run_test(size=size) as pilot:
        await settle(pilot)
        for place in "134567":
            await pilot.press(place)
            screen = pilot.app.screen
            await until(pilot, lambda at=screen: at.loaded if isinstance(at, ListPage) else True, place)
            assert is_harmless(pilot), place
            assert place == "7" or "[red]x" in text_of(pilot), place
        await pilot.press("1")
        for question, answer in (("e", "- id: expected-http"), ("c", "as JSON"), ("t", "Have you"), ("enter", "Flow")):
            await pilot.press(question)
            await until(pilot, lambda text=answer: text in text_of(pilot), answer)
            assert is_harmless(pilot), question
            await pilot.press("escape")
        await pilot.press("slash", *"kind:[red]x")
        assert is_harmless(pilot)
        assert pilot.app.is_running


async def test_hostile_names_in_the_palette_are_no_markup(database: Path) -> None:
    async with make_app(database).run_test(size=(120, 36)) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+p", *"click")
        await until(pilot, lambda: SHOWN in text_of(pilot), "the names in the palette")
        assert is_harmless(pilot)
