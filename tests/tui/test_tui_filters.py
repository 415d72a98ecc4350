"""The filter language: what it reads, and what it says of what it cannot read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentguard.model.finding import Kind
from agentguard.model.verdict import Severity
from agentguard.record.reader import EventQuery
from agentguard.show.tui.filters import FilterError, parse_filter


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", EventQuery()),
        ("   ", EventQuery()),
        ("severity>=high", EventQuery(min_severity=Severity.HIGH)),
        ("SEVERITY>=CRIT", EventQuery(min_severity=Severity.CRITICAL)),
        ("kind:file", EventQuery(kinds=(Kind.FILE,))),
        ("kind:file,http", EventQuery(kinds=(Kind.FILE, Kind.HTTP))),
        ("host:Paste.Example.", EventQuery(host="paste.example")),
        ("process:curl", EventQuery(process="curl")),
        ("session:01KG", EventQuery(session="01KG")),
        (".env paste", EventQuery(text=".env paste")),
        ('"kind of file" process:curl', EventQuery(process="curl", text="kind of file")),
        ("https://paste.example/api", EventQuery(text="https://paste.example/api")),
        ("a host:b.example c", EventQuery(host="b.example", text="a c")),
    ],
)
def test_reads(text: str, query: EventQuery) -> None:
    assert parse_filter(text) == query


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("severity>=loud", 'no severity "loud"; one of info, low, medium, high, critical'),
        ("severity:high", "write severity>=VALUE"),
        ("severity=high", "write severity>=VALUE"),
        ("host>=x", "write host:VALUE"),
        ("kind:x", 'no kind "x"; one of file'),
        ("kind:", "kind: needs a value"),
        ("kind:,", "kind: needs a value"),
        ("colour:red", 'no field "colour"'),
        ("host:a host:b", "host is given twice"),
        ('"open', "a quote is not closed"),
    ],
)
def test_says_why_not_in_one_line(text: str, said: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def read_or_reason(text: str) -> EventQuery | str:
    """What becomes of it; anything but a filter and a reason is a bug."""
    try:
        return parse_filter(text)
    except FilterError as error:
        return str(error)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert read_or_reason(text)


@given(st.text(alphabet='ab:>="\\ ,.', max_size=20))
def test_text_of_operators_is_read_or_refused(text: str) -> None:
    assert read_or_reason("kind" + text)
