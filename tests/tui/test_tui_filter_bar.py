"""The line where a filter is typed, over a real database."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import tui_sample as sample
from pilots import chosen, dashboard, live_of, log_of, set_filter, text_of, until
from textual.widgets import Input

from agentguard.record.writer import Writer

SHOP, SHOP_EVENTS = sample.shop_session()


async def test_a_filter_narrows_and_esc_widens(database: Path, writer: Writer) -> None:
    async with dashboard(database) as pilot:
        await set_filter(pilot, "severity>=high host:paste.example")
        await until(pilot, lambda: len(log_of(pilot).index) == 1, "one event")
        assert "Events, filtered" in text_of(pilot)
        finding, verdict = SHOP_EVENTS[-1]
        writer.append(replace(finding, uid="more-1", host="other.example", flow=None), verdict)
        writer.append(replace(finding, uid="more-2", flow=None), verdict)
        await until(pilot, lambda: len(log_of(pilot).index) == 2, "one more event")
        assert chosen(pilot).finding.uid == "more-2"
        await pilot.press("enter")
        assert log_of(pilot).has_focus
        await pilot.press("escape")
        await until(pilot, lambda: len(log_of(pilot).index) == len(SHOP_EVENTS) + 2, "all events")


async def test_words_and_sessions_are_found_and_what_cannot_be_read_hides_nothing(database: Path) -> None:
    async with dashboard(database) as pilot:
        await set_filter(pilot, "vault secret")
        await until(pilot, lambda: len(log_of(pilot).index) == 1, "one event")
        assert chosen(pilot).finding.command_rule == "vault-kv"
        await set_filter(pilot, "severity>=loud")
        await until(
            pilot, lambda: len(log_of(pilot).index) == len(SHOP_EVENTS) and live_of(pilot).loaded, "all of them"
        )
        assert 'at character 11: no severity "loud"; one of info' in text_of(pilot)
        await set_filter(pilot, "session:01KG3H")
        await until(pilot, lambda: len(log_of(pilot).index) == 2, "the other session's events")
        assert chosen(pilot).finding.agent == "gemini-cli"
        await set_filter(pilot, "session:nosuch")
        await until(pilot, lambda: not len(log_of(pilot).index) and live_of(pilot).loaded, "no event")


async def test_tab_completes_keys_and_what_the_record_holds(database: Path) -> None:
    async with dashboard(database) as pilot:
        await pilot.press("slash", *"sev")
        assert "tab severity>=" in text_of(pilot)
        await pilot.press("tab", *"hi", "tab", *" host:pas", "tab")
        assert pilot.app.screen.query_one(Input).value == "severity>=high host:paste.example"
        await until(pilot, lambda: len(log_of(pilot).index) == 1, "one event")
