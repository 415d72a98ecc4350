"""Words, times, and text that would like to be more than text."""

from __future__ import annotations

import unicodedata
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from agentguard.model.verdict import Outcome, Severity
from agentguard.show.tui.rows import fit
from agentguard.show.tui.words import (
    LONGEST_TEXT,
    OUTCOME,
    SEVERITY,
    between,
    clean,
    duration,
    home_short,
    plural,
    span_word,
    time_of_day,
)

HOSTILE = st.text(alphabet=st.characters(codec=None), max_size=80)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (".env", ".env"),
        ("a\x1b[31mred\x07", "a�[31mred�"),
        ("two\nlines\tand a tab\r", "two lines and a tab "),
        ("gpj.\u202eenv.", "gpj.�env."),
        ("zero\u200bwidth\ufeff", "zero�width�"),
        ("\x9b2J", "�2J"),
        ("bad\udcffbyte", "bad�byte"),
        ("[red]markup[/]", "[red]markup[/]"),
        ("日本語.env", "日本語.env"),
        ("cafe\u0301", "café"),
        ("blank\u3164name", "blank�name"),
        ("a" + "\u0301\u0302\u0303\u0304\u0305", "á\u0302\u0303"),
    ],
)
def test_clean(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(HOSTILE)
def test_nothing_that_steers_a_terminal_or_an_eye_is_left(text: str) -> None:
    shown = clean(text)
    assert not [char for char in shown if unicodedata.category(char)[0] == "C" or char in "\u2028\u2029"]
    assert clean(shown) == shown
    shown.encode("utf-8")


def test_clean_looks_at_a_bounded_length() -> None:
    assert len(clean("é" * 10 * LONGEST_TEXT)) == LONGEST_TEXT


@given(HOSTILE, st.integers(min_value=0, max_value=60))
def test_fit_is_exact(text: str, width: int) -> None:
    assert cell_len(fit(clean(text), width)) == width


def test_every_severity_and_outcome_has_a_word_and_a_glyph_of_its_own() -> None:
    for looks, words in ((SEVERITY, Severity), (OUTCOME, Outcome)):
        assert set(looks) == set(words)
        assert len({look.glyph for look in looks.values()}) == len({look.word for look in looks.values()}) == len(words)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "00:00"), (30, "00:30"), (725, "12:05"), (3723, "1:02:03"), (3 * 86400 + 4 * 3600, "3d 04h"), (-5, "00:00")],
)
def test_duration(seconds: int, text: str) -> None:
    assert duration(seconds * 1_000_000_000) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4.766, "4.77 s"), (45, "45 s"), (1830, "30 min"), (7800, "2 h 10 min"), (7200, "2 h"), (50 * 3600, "2 d 2 h")],
)
def test_span(seconds: float, text: str) -> None:
    assert span_word(int(seconds * 1e9)) == text


def test_time_of_day_is_local() -> None:
    moment = 1_769_869_918_640_123_456
    assert time_of_day(moment, UTC, millis=True) == "14:31:58.640"
    assert time_of_day(moment, timezone(timedelta(hours=-5))) == "09:31:58"


def test_home_is_short_only_for_what_lies_in_it() -> None:
    assert home_short("/home/mira/src/shop", "/home/mira") == "~/src/shop"
    assert home_short("/home/mira", "/home/mira") == "~"
    assert home_short("/home/miranda", "/home/mira") == "/home/miranda"


def test_plural() -> None:
    assert [plural(count, "read") for count in (0, 1, 12345)] == ["0 reads", "1 read", "12,345 reads"]


def test_a_span_over_midnight_names_its_days() -> None:
    start = 1_769_869_918 * 1_000_000_000
    assert between(start, start + 60 * 10**9, UTC) == "14:31:58 – 14:32:58"
    assert between(start, start + 86400 * 10**9, UTC) == "Jan 31 14:31 – Feb 01 14:31"
