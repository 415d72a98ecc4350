"""What a person does in the dashboard: each key with a real database, each thing taken back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tui_sample as sample
from pilots import lines_of, log_of, make_app, settle, text_of, until
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from agentguard.config import Home
from agentguard.judge.load import load_file
from agentguard.model.event import event_to_json
from agentguard.record.reader import Mark, Reader
from agentguard.show.tui.app import AgentGuardApp
from agentguard.show.tui.detail_panel import DetailPanel
from agentguard.show.tui.detail_screen import DetailScreen
from agentguard.show.tui.expect_screen import ExpectScreen
from agentguard.show.tui.list_page import ListPage

Copied = list[str]
LEAK = "01KG3Z5S1T8W-0072"
"""uid of the sample's leak, its newest event."""


@pytest.fixture
def reader(database: Path):
    with contextlib.closing(Reader(database)) as reader:
        yield reader


@contextlib.asynccontextmanager
async def dashboard(database: Path, *keys: str, size: tuple[int, int] = (100, 30)) -> AsyncIterator[Pilot[Any]]:
    """Full, and where `keys` lead to."""
    async with make_app(database).run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press(*keys)
        if isinstance(pilot.app.screen, ListPage):
            await until(pilot, lambda: pilot.app.screen.loaded, "the list to be read")
        yield pilot


def recorded_copies(app: AgentGuardApp, *, desktop: bool = True) -> Copied:
    """What reaches the desktop's clipboard from now on, or the terminal's."""
    copied: Copied = []

    def copy(text: str) -> bool:
        copied.append(text)
        return desktop

    app.desk = replace(app.desk, actions=replace(app.desk.actions, copy=copy))
    return copied


async def said(pilot: Pilot[Any], text: str) -> None:
    """On the screen or in a notice; either may break it over lines."""

    def there() -> bool:
        flat = " ".join(text_of(pilot).replace("│", " ").split())
        return " ".join(text.split()) in flat or any(text in one.message for one in pilot.app._notifications)

    await until(pilot, there, text)


async def test_seen_is_kept_and_the_next_finding_passes_it_by(database: Path, reader: Reader) -> None:
    async with dashboard(database, "home", "n") as pilot:
        first = pilot.app.screen.chosen_event
        await pilot.press("m")
        await said(pilot, "Seen: n passes it by")
        assert reader.marked(first.finding.uid).mark is Mark.SEEN
        await pilot.press("home", "n")
        assert pilot.app.screen.chosen_event.seq > first.seq
        await pilot.press("u")
        await until(pilot, lambda: reader.marked(first.finding.uid) is None, "the mark to go")
        await pilot.press("home", "n")
        assert pilot.app.screen.chosen_event == first


async def test_seen_twice_is_not_seen(database: Path, reader: Reader) -> None:
    async with dashboard(database) as pilot:
        await pilot.press("m")
        await until(pilot, lambda: reader.marked(LEAK), "the mark")
        await pilot.press("m")
        await until(pilot, lambda: reader.marked(LEAK) is None, "the mark to go")


async def test_all_of_an_event_has_the_same_keys_and_says_what_was_said(database: Path, reader: Reader) -> None:
    async with dashboard(database, "enter", size=(100, 50)) as pilot:
        copied = recorded_copies(pilot.app)
        await pilot.press("m")
        await said(pilot, "you said ✓ seen, 14:32:07")
        await pilot.press("u")
        await until(pilot, lambda: reader.marked(LEAK) is None and "you said" not in text_of(pilot), "the mark to go")
        await pilot.press("e")
        await said(pilot, "Enter write it")
        await pilot.press("enter")
        await said(pilot, "you said = expected, 14:32:07, by policy.yaml:expected-http-paste-example")
        await pilot.press("t")
        await said(pilot, "Have you replaced it")
        await pilot.press("enter")
        await said(pilot, "✓ rotated")
        await pilot.press("c")
        await said(pilot, "The event as JSON")
        await pilot.press("end", "enter")
        await until(pilot, lambda: copied == [LEAK], "the clipboard")
        for undone in ("✓ rotated", "you said"):
            await pilot.press("u")
            await until(pilot, lambda text=undone: text not in text_of(pilot), f"{undone} to go")
        assert isinstance(pilot.app.screen, DetailScreen)
    assert reader.rotated() == ()
    assert not Home(database.parent).policy.exists()


async def test_rows_that_were_answered_say_so(database: Path) -> None:
    def shown(pilot: Pilot[Any]) -> tuple[str, str]:
        """Of the newest event: its row, and the panel's border."""
        return lines_of(log_of(pilot))[-1], pilot.app.screen.query_one(DetailPanel).border_subtitle

    async with dashboard(database) as pilot:
        assert "■ CRIT" in shown(pilot)[0]
        await pilot.press("m")
        await until(pilot, lambda: "✓ CRIT" in shown(pilot)[0] and "✓ seen" in shown(pilot)[1], "the sign of seen")
        await pilot.press("e")
        await said(pilot, "Enter write it")
        await pilot.press("enter")
        await until(pilot, lambda: "= CRIT" in shown(pilot)[0] and "= expected" in shown(pilot)[1], "that of expected")
        await pilot.press("7", "end")
        await said(pilot, "✓ seen = expected")
        await pilot.press("1", "u", "u")
        await until(pilot, lambda: "■ CRIT" in shown(pilot)[0], "the sign to go")


async def test_nothing_can_be_taken_back_that_was_not_done(database: Path) -> None:
    async with dashboard(database, "u") as pilot:
        await said(pilot, "Nothing to take back.")


async def test_expected_shows_the_rule_then_writes_it_then_takes_it_out(database: Path, reader: Reader) -> None:
    policy = Home(database.parent).policy
    async with dashboard(database, "e") as pilot:
        await said(pilot, "- id: expected-http-paste-example")
        shown = text_of(pilot)
        assert "host: paste.example" in shown
        assert "it speaks of this one alone" in shown
        assert not policy.exists()
        await pilot.press("enter")
        await said(pilot, "policy.yaml:expected-http-paste-example is written")
        assert [rule.id for rule in load_file(policy).rules] == ["expected-http-paste-example"]
        assert reader.marked(LEAK).mark is Mark.EXPECTED
        await pilot.press("u")
        await until(pilot, lambda: not policy.exists(), "the rule to go")
        await until(pilot, lambda: reader.marked(LEAK) is None, "the mark to go")


async def test_expected_names_what_else_it_would_speak_of(database: Path) -> None:
    async with dashboard(database, "3", "down", "e") as pilot:
        await said(pilot, "id: expected-http-api-anthropic-com")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, ExpectScreen), "the page")
        assert not Home(database.parent).policy.exists()


async def test_a_policy_that_is_invalid_is_not_touched(database: Path) -> None:
    policy = Home(database.parent).policy
    policy.write_text("version: 1\nrules: {}\n")
    async with dashboard(database, "e") as pilot:
        await said(pilot, "rules must be a list")
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, ExpectScreen)
    assert policy.read_text() == "version: 1\nrules: {}\n"


async def test_rotated_asks_and_can_be_taken_back(database: Path, reader: Reader) -> None:
    async with dashboard(database, "4") as pilot:
        fingerprint = pilot.app.screen.chosen
        assert "now: leaked" in text_of(pilot)
        await pilot.press("t")
        await said(pilot, "Have you replaced it at its issuer")
        assert "platform.openai.com" in text_of(pilot)
        await pilot.press("escape")
        assert reader.rotated() == ()
        await pilot.press("t", "enter")
        await until(pilot, lambda: reader.rotated() == (fingerprint,), "the mark")
        await said(pilot, "✓ rotated")
        assert "1 to rotate of 6" in text_of(pilot)
        await pilot.press("u")
        await until(pilot, lambda: reader.rotated() == (), "the mark to go")


async def test_a_leaks_credential_is_rotated_from_the_event(database: Path, reader: Reader) -> None:
    async with dashboard(database, "t") as pilot:
        await said(pilot, "OPENAI_API_KEY  sk-p…9Q")
        await pilot.press("enter")
        await until(pilot, lambda: len(reader.rotated()) == 1, "the mark")
        await pilot.press("t")
        await said(pilot, "It goes back to the worklist.")
        await pilot.press("enter")
        await until(pilot, lambda: reader.rotated() == (), "the mark to go")


async def test_what_is_copied(database: Path, reader: Reader) -> None:
    async with dashboard(database) as pilot:
        copied = recorded_copies(pilot.app)
        for down in range(5):
            await pilot.press("c", *["down"] * down, "enter")
            await until(pilot, lambda: len(copied) == down + 1, "the clipboard")  # noqa: B023 - waited for here
            assert pilot.app.clipboard == copied[-1]
    event = reader.event(LEAK)
    assert json.loads(copied.pop(2)) == json.loads(json.dumps(event_to_json(event)))
    assert copied == [
        "Revoke OPENAI_API_KEY at its issuer now: it is public.",
        sample.openai("body").fingerprint,
        "paste.example",
        LEAK,
    ]


async def test_a_terminal_that_may_not_listen_is_said(database: Path) -> None:
    async with dashboard(database, "4") as pilot:
        recorded_copies(pilot.app, desktop=False)
        await pilot.press("c")
        await said(pilot, "take it from here")
        assert pilot.app.clipboard == pilot.app.screen.chosen


async def test_the_report_is_written_and_opened_where_someone_sees_it(database: Path) -> None:
    opened: list[Path] = []
    async with dashboard(database) as pilot:
        app = pilot.app

        def open_file(path: Path) -> bool:
            opened.append(path)
            return False

        app.desk = replace(app.desk, actions=replace(app.desk.actions, open_file=open_file))
        await pilot.press("r")
        await said(pilot, "open it in a browser")
    (path,) = opened
    assert path.parent == Home(database.parent).reports
    assert "paste.example" in path.read_text()


async def test_a_flow_leads_to_its_event(database: Path) -> None:
    async with dashboard(database, "3", "down", "down", "enter") as pilot:
        await until(pilot, lambda: pilot.app.screen.PLACE == "Live", "the events")
        assert pilot.app.screen.chosen_event.finding.host == "gist.example"


async def test_the_policy_says_why_and_how_often(database: Path) -> None:
    async with dashboard(database, "6", size=(120, 36)) as pilot:
        await said(pilot, "Why? ■ POST https://paste.example/api")
        await pilot.press("home")
        shown = text_of(pilot)
        assert "openai-project-key in body, sent to: other" in shown
        assert "    58      58  ? to-own-issuer" in shown
        await pilot.press("down")
        shown = text_of(pilot)
        assert "Decided  1 event of this session, 1 of all" in shown
        assert "- id: leak-to-unknown-host" in shown


@pytest.mark.parametrize(
    ("typed", "hit", "place", "chosen"),
    [
        ("database_url", "Key DATABASE_URL", "Keys", sample.database_url("body").fingerprint),
        ("leak-to-unknown", "leak-to-unknown-host", "Policy", "policies/default.yaml:leak-to-unknown-host"),
        ("sensors", "Sensors", "Sensors", ""),
    ],
)
async def test_the_palette_leads_anywhere(database: Path, typed: str, hit: str, place: str, chosen: str) -> None:
    async with dashboard(database) as pilot:
        await palette(pilot, typed, hit)
        await until(pilot, lambda: getattr(pilot.app.screen, "PLACE", "") == place, place)
        if chosen:
            await until(pilot, lambda: pilot.app.screen.chosen == chosen, chosen)


async def test_the_palette_leads_to_a_session(database: Path) -> None:
    async with dashboard(database) as pilot:
        await palette(pilot, "codex", "Session codex")
        await until(pilot, lambda: pilot.app.snapshot.chosen.agent == "codex", "the session")


async def test_the_palette_does_what_the_page_can_do(database: Path, reader: Reader) -> None:
    async with dashboard(database) as pilot:
        await palette(pilot, "seen", "Seen")
        await until(pilot, lambda: reader.marked(LEAK), "the mark")


async def palette(pilot: Pilot[Any], typed: str, hit: str) -> None:
    """Ask the palette, and take its first hit once it is the one that is wanted. A key at a time takes a frame each."""

    def first() -> str:
        listed = pilot.app.screen.query(OptionList)
        return str(listed.first().get_option_at_index(0).prompt) if listed and listed.first().option_count else ""

    await pilot.press("ctrl+p")
    await until(pilot, lambda: pilot.app.screen.query(Input), "the palette")
    pilot.app.screen.query_one(Input).value = typed
    await until(pilot, lambda: hit in first(), hit)
    await pilot.press("enter")
