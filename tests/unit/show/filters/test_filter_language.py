from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agentguard.record.reader import Compare, EventQuery, Field, Term
from agentguard.show.filters.completion import offers
from agentguard.show.filters.errors import FilterError
from agentguard.show.filters.keys import KEYS
from agentguard.show.filters.language import LONGEST, parse_filter
from agentguard.show.filters.tokens import tokens

NOW = datetime(2026, 1, 31, 14, 32, 7, tzinfo=UTC)
NOW_NS = int(NOW.timestamp()) * 1_000_000_000


def parse(text: str) -> EventQuery:
    return parse_filter(text, NOW_NS, UTC)


def terms(text: str) -> tuple[Term, ...]:
    return parse(text).terms


def at(*parts: int) -> str:
    return str(int(datetime(2026, *parts, tzinfo=UTC).timestamp()) * 1_000_000_000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("severity>=high", Term(Field.SEVERITY, ("high",), Compare.AT_LEAST)),
        ("SEVERITY<=CRIT", Term(Field.SEVERITY, ("critical",), Compare.AT_MOST)),
        ("severity:med,low", Term(Field.SEVERITY, ("medium", "low"))),
        ("kind:file,HTTP", Term(Field.KIND, ("file", "http"))),
        ("-kind:gap", Term(Field.KIND, ("gap",), negated=True)),
        ("host:Paste.Example.", Term(Field.HOST, ("paste.example",))),
        ("path:\"two words\",.env", Term(Field.PATH, ("two words", ".env"))),
        ("process:curl,48333", Term(Field.PROCESS, ("curl", "48333"))),
        ("pid:48333", Term(Field.PID, ("48333",))),
        ("agent:claude*", Term(Field.AGENT, ("claude*",))),
        ("type:openai-project-key", Term(Field.TYPE, ("openai-project-key",))),
        ("rule:policies/default.yaml:leak", Term(Field.RULE, ("policies/default.yaml:leak",))),
        ("outcome>=exposed", Term(Field.OUTCOME, ("exposed",), Compare.AT_LEAST)),
        ("is:finding", Term(Field.IS, ("finding",))),
        ("since:10m", Term(Field.TIME, (at(1, 31, 14, 22, 7),), Compare.AT_LEAST)),
        ("until:14:30", Term(Field.TIME, (at(1, 31, 14, 30),), Compare.AT_MOST)),
        ("since:9:05", Term(Field.TIME, (at(1, 31, 9, 5),), Compare.AT_LEAST)),
        ("since:2026-01-30", Term(Field.TIME, (at(1, 30),), Compare.AT_LEAST)),
        ("since:2026-01-30T15:00+01:00", Term(Field.TIME, (at(1, 30, 14),), Compare.AT_LEAST)),
        ("-session:01KG", Term(Field.SESSION, ("01KG",), negated=True)),
        (".env", Term(Field.TEXT, (".env",))),
        ("-\"two words\"", Term(Field.TEXT, ("two words",), negated=True)),
        ("--token", Term(Field.TEXT, ("--token",))),
        ("-", Term(Field.TEXT, ("-",))),
        ("a,b", Term(Field.TEXT, ("a,b",))),
        ("https://paste.example/api", Term(Field.TEXT, ("https://paste.example/api",))),
        ("-https://paste.example/api", Term(Field.TEXT, ("https://paste.example/api",), negated=True)),
    ],
)  # fmt: skip
def test_what_is_typed_is_one_condition(text: str, expected: Term) -> None:
    assert parse(text) == EventQuery(terms=(expected,))


def test_all_that_is_typed_must_hold() -> None:
    assert terms('path:.env path:shop -path:test curl "a b"') == (
        Term(Field.PATH, (".env",)),
        Term(Field.PATH, ("shop",)),
        Term(Field.PATH, ("test",), negated=True),
        Term(Field.TEXT, ("curl",)),
        Term(Field.TEXT, ("a b",)),
    )
    assert parse("session:last kind:gap") == EventQuery(session="last", terms=(Term(Field.KIND, ("gap",)),))
    assert parse("") == parse("  \t ") == EventQuery()


def test_a_time_without_a_zone_is_in_the_one_that_is_shown() -> None:
    east = timezone(timedelta(hours=9))
    (term,) = parse_filter("since:2026-01-31T09:00", NOW_NS, east).terms
    assert term.values == (at(1, 31),)


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("severity>=hgih", 10, "one of info, low, medium, high, critical"),
        ("kind:file severty:low", 10, "is it severity;"),
        ("zzz:1", 0, "there are severity, kind, host"),
        ("kind>=file", 0, "write kind: before"),
        ("severity>low", 0, "write severity: or severity>= or severity<="),
        ("kind:file,nofile", 10, 'no kind "nofile"'),
        ("kind:", 5, "such as kind:file,http"),
        ("host:a,,b", 7, "such as host:paste.example"),
        ("pid:curl", 4, "names go with process:"),
        ("since:yesterday", 6, "10m"),
        ("since:25:00", 6, "14:30 today"),
        ("-since:10m", 0, "write until:"),
        ("x kind:file kind:http", 12, "write kind:A,B for either"),
        ("since:1h since:2h", 9, "given twice"),
        ("severity>=low,high", 14, "takes one value"),
        ('path:"not closed', 5, "not closed"),
        ('""', 0, "nothing stands between"),
        ("path:" + "*" * 5, 5, "4 times *"),
        ("path:" + "x" * 257, 5, "256 characters"),
        ("x" * (LONGEST + 1), LONGEST, "2,000 characters"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, position: int, says: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert caught.value.position == position
    assert str(caught.value).startswith(f"at character {position + 1}: ")
    assert says in str(caught.value)


PIECES = st.sampled_from(
    [*(f"{key.name}{operator}" for key in KEYS.values() for operator in (":", ">=", "<=", "=")),
     "-", '"', ",", " ", "*", "?", "[", "file", "high", "10m", "14:30", "2026-01-31", "last", "\0", "\u202e", "\ud800"]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=6), max_size=12).map("".join))
@settings(max_examples=400, deadline=None)
@example("since:0001-01-01")
@example("until:9999-12-31T23:59:59-23:59")
@example("since:999999999w")
@example("since:" + "9" * 200 + "w")
def test_no_text_crashes_it_and_every_refusal_is_one_line_with_a_place(text: str) -> None:
    offers(text)
    read = read_or_refusal(text)
    if isinstance(read, FilterError):
        assert 0 <= read.position <= len(text)
        assert read.problem
        assert str(read).isprintable()
        return
    assert sum(1 for _ in tokens(text)) == len(read.terms) + (read.session is not None)
    times = [int(value) for term in read.terms if term.field is Field.TIME for value in term.values]
    assert all(0 <= moment < 2**63 for moment in times)


def read_or_refusal(text: str) -> EventQuery | FilterError:
    """What becomes of it; anything but a query and a reason is a bug."""
    try:
        return parse(text)
    except FilterError as error:
        return error


def known(key: str) -> list[str]:
    return {"host": ["paste.example", "api.openai.com"], "agent": ["claude-code", "my agent"]}.get(key, [])


@pytest.mark.parametrize(
    ("text", "start", "first"),
    [
        ("", 0, "severity>="),
        ("se", 0, "severity>="),
        ("kind:file -pa", 11, "path:"),
        ("severity>=", 10, "info"),
        ("kind:file,h", 10, "http"),
        ("host:p", 5, "paste.example"),
        ("agent:my", 6, '"my agent"'),
        ("until:", 6, "10m"),
    ],
)
def test_keys_and_values_are_offered(text: str, start: int, first: str) -> None:
    found = offers(text, known)
    assert (found.start, found.texts[0]) == (start, first)
    assert found.applied(text, first) == text[:start] + first


@pytest.mark.parametrize("text", ['path:"open', "nokey:x", "kind:file", "zz"])
def test_nothing_is_offered_where_nothing_fits(text: str) -> None:
    assert offers(text, known).texts == ()


def test_every_example_of_the_help_can_be_read() -> None:
    for key in KEYS.values():
        assert parse(key.example)
        assert all(parse(f"{key.name}:{choice}") for choice in key.choices)
