"""The one read path: paging, search, flows, timeline, and databases that are not there."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from record_builders import SECOND, START, gap, leaked, make_home, read, record_walk, send, session

from agentguard.errors import StoreError
from agentguard.model.finding import Activity, Kind
from agentguard.model.verdict import Disposition, Severity
from agentguard.record.reader import Compare, EventQuery, Field, Reader, Term
from agentguard.record.writer import Writer


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Session `s-one` with 30 events, `s-two` with three."""
    guard_home = make_home(tmp_path_factory.mktemp("reader"))
    writer = Writer(guard_home)
    writer.start()
    writer.begin_session(session())
    for number in range(1, 28):
        writer.append(*read(number, subject=f"config/{number}/.env", path=f"/src/config/{number}/.env"))
    writer.append(*send(28, of="s-one-e27", host="upload.paste.example"))
    writer.append(*send(29, host="notpaste.example"))
    writer.append(*gap(30))
    writer.end_session(leaked(record_walk(writer, "s-two", START + 500 * SECOND)))
    writer.close()
    return Reader(guard_home.database)


def term(field: Field, *values: str, compare: Compare = Compare.IS, negated: bool = False, **narrow) -> dict:
    """Keyword arguments of a query with one term."""
    return {"terms": (Term(field, values, compare, negated),), **narrow}


def uids(events) -> list[str]:
    return [event.finding.uid for event in events]


def test_pages_join_without_a_hole_in_both_directions(reader: Reader) -> None:
    everything = reader.event_ids(EventQuery(session="s-one"))
    assert len(everything) == 30
    forward: list[int] = []
    while page := reader.rows(EventQuery(session="s-one", after=forward[-1] if forward else None, limit=7)):
        forward += [row.id for row in page]
    back: list[int] = []
    while page := reader.rows(
        EventQuery(session="s-one", before=back[-1] if back else None, limit=7, newest_first=True)
    ):
        back += [row.id for row in page]
    assert forward == everything == back[::-1]
    assert [row.id for row in reader.rows(EventQuery(session="s-one", limit=3, offset=10))] == everything[10:13]


def test_events_of_all_sessions_follow_each_other_by_id(reader: Reader) -> None:
    rows = reader.rows(EventQuery(after=28))
    assert [row.id for row in rows] == [29, 30, 31, 32, 33]
    assert uids(row.event for row in rows) == ["s-one-e29", "s-one-e30", "s-two-e1", "s-two-e2", "s-two-e3"]
    assert reader.last_id() == 33
    assert uids(reader.events_by_id([33, 1, 999])) == ["s-two-e3", "s-one-e1"]


@pytest.mark.parametrize(
    ("narrow", "expected"),
    [
        ({"kinds": [Kind.GAP]}, ["s-one-e30"]),
        ({"kinds": [Kind.HTTP, Kind.GAP]}, ["s-one-e28", "s-one-e29", "s-one-e30"]),
        ({"activities": [Activity.SEND]}, ["s-one-e28", "s-one-e29"]),
        ({"dispositions": [Disposition.LOGGED]}, ["s-one-e30"]),
        ({"min_severity": Severity.CRITICAL}, ["s-one-e28", "s-one-e29"]),
        (term(Field.HOST, "paste.example"), ["s-one-e28"]),
        (term(Field.HOST, "example"), ["s-one-e28", "s-one-e29"]),
        (term(Field.HOST, "te.example"), []),
        (term(Field.HOST, "UP*.EXAMPLE", "nowhere"), ["s-one-e28"]),
        (term(Field.PROCESS, "nc"), ["s-one-e30"]),
        (term(Field.PROCESS, "NC", "none"), ["s-one-e30"]),
        (term(Field.PROCESS, "cur?"), ["s-one-e28", "s-one-e29"]),
        (term(Field.PROCESS, "48333"), ["s-one-e28", "s-one-e29"]),
        (term(Field.PROCESS, "9" * 40), []),
        (term(Field.PID, "48333"), ["s-one-e28", "s-one-e29"]),
        (term(Field.PATH, "config/13/"), ["s-one-e13"]),
        (term(Field.PATH, "CONFIG/13"), ["s-one-e13"]),
        (term(Field.PATH, "*fig/?3/*"), ["s-one-e13", "s-one-e23"]),
        (term(Field.PATH, "[a-z]onfig"), []),
        (term(Field.PATH, "*fig/1?/*", negated=True, kinds=[Kind.GAP]), ["s-one-e30"]),
        (term(Field.KIND, "gap", "finding"), ["s-one-e30"]),
        (term(Field.KIND, "file", negated=True), ["s-one-e28", "s-one-e29", "s-one-e30"]),
        (term(Field.ACTIVITY, "send"), ["s-one-e28", "s-one-e29"]),
        (term(Field.DISPOSITION, "logged"), ["s-one-e30"]),
        (term(Field.SEVERITY, "critical", compare=Compare.AT_LEAST), ["s-one-e28", "s-one-e29"]),
        (term(Field.SESSION, "s-two"), []),
        (term(Field.SESSION, "s-o", kinds=[Kind.GAP]), ["s-one-e30"]),
        (term(Field.AGENT, "nobody"), []),
        (term(Field.TIME, "0", compare=Compare.AT_MOST), []),
        (term(Field.IS, "finding", kinds=[Kind.GAP]), []),
        (term(Field.IS, "seen"), []),
        (term(Field.TEXT, "upload.paste", kinds=[Kind.HTTP], negated=True), ["s-one-e29"]),
        ({"text": "upload.paste"}, ["s-one-e28"]),
        ({"text": "PASTE.exa curl"}, ["s-one-e28", "s-one-e29"]),
        ({"text": "config/13/"}, ["s-one-e13"]),
        ({"text": "nc 203.0.113.9"}, ["s-one-e30"]),
        ({"text": "%"}, []),
        ({"text": "/13/ 13"}, ["s-one-e13"]),
    ],
)
def test_a_query_narrows(reader: Reader, narrow, expected: list[str]) -> None:
    assert uids(reader.events("s-one", **narrow)) == expected
    assert reader.count_events("s-one", **narrow) == len(expected)


@given(text=st.text(max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
def test_no_text_of_a_user_breaks_the_search(reader: Reader, text: str) -> None:
    found = reader.count_events(text=text)
    assert found == 33 if not text.replace("\0", " ").split() else found <= 33
    assert reader.session("?" + text) is None
    free = (Field.SESSION, Field.AGENT, Field.HOST, Field.PROCESS, Field.PATH, Field.TYPE, Field.RULE, Field.TEXT)
    for negated in (False, True):
        reader.events(terms=tuple(Term(field, (text, "x"), negated=negated) for field in free), limit=1)


@pytest.mark.parametrize("text", ['a"b OR c', "NEAR(x", "words:env", "-env", "***", "subject:", "\ud800\ud800\ud800"])
def test_search_syntax_is_only_text(reader: Reader, text: str) -> None:
    assert reader.events(text=text) == []


def test_a_session_is_named_by_uid_beginning_or_last(reader: Reader) -> None:
    assert [one.uid for one in reader.sessions()] == ["s-two", "s-one"]
    assert [one.uid for one in reader.sessions(1)] == ["s-two"]
    named = {name: reader.session(name) for name in ("s-one", "s-t", "last", "nothing", "")}
    assert {name: found.uid if found else None for name, found in named.items()} == {
        "s-one": "s-one",
        "s-t": "s-two",
        "last": "s-two",
        "nothing": None,
        "": None,
    }
    with pytest.raises(StoreError, match="2 sessions begin with 's-'"):
        reader.session("s-")


def test_a_flow_pairs_the_send_with_its_read(reader: Reader) -> None:
    ((sent, source),) = reader.flows("s-one")
    assert source is not None
    assert (sent.finding.uid, source.finding.uid) == ("s-one-e28", "s-one-e27")


def test_the_timeline_counts_every_event_once(reader: Reader) -> None:
    for buckets in (1, 7, 60, 1000):
        steps = reader.timeline("s-one", buckets)
        assert len(steps) == buckets
        assert sum(step.reads for step in steps) == 27
        assert sum(step.sends for step in steps) == 2
        assert sum(step.flows for step in steps) == 1
        assert sum(step.gaps for step in steps) == 1
    early = reader.timeline("s-one", 4, START, START + 10 * SECOND)
    assert sum(step.reads for step in early) == 10
    assert reader.timeline("nothing", 10) == []


def test_threads_may_share_a_reader(reader: Reader) -> None:
    counts: list[int] = []
    threads = [
        threading.Thread(target=lambda: counts.extend(len(reader.events(text="config")) for _ in range(20)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [27] * 80


def test_a_missing_or_empty_database_is_an_empty_record(tmp_path: Path) -> None:
    reader = Reader(tmp_path / "home" / "agentguard.db")
    assert_empty(reader)
    guard_home = make_home(tmp_path)
    guard_home.database.touch()
    assert_empty(reader)
    writer = Writer(guard_home)
    writer.start()
    before = reader.data_version()
    record_walk(writer)
    writer.flush(5)
    assert reader.data_version() != before
    assert len(reader.events()) == 3
    writer.close()


def test_a_database_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    guard_home = make_home(tmp_path)
    reader = Reader(guard_home.database)
    for uid in ("first", "second"):
        writer = Writer(guard_home)
        writer.start()
        record_walk(writer, uid)
        writer.close()
        assert [one.uid for one in reader.sessions()] == [uid]
        for file in guard_home.root.glob("agentguard.db*"):
            file.unlink()


def test_a_file_that_is_no_database_is_said_in_words(tmp_path: Path) -> None:
    path = tmp_path / "agentguard.db"
    path.write_bytes(b"something else " * 1000)
    with pytest.raises(StoreError, match="not a database"):
        Reader(path).sessions()


def assert_empty(reader: Reader) -> None:
    assert reader.sessions() == []
    assert reader.session("last") is None
    assert reader.events() == []
    assert reader.count_events() == 0
    assert reader.event("x") is None
    assert reader.flows("x") == []
    assert reader.timeline("x", 5) == []
    assert reader.processes("x") == []
    assert reader.last_id() == 0
