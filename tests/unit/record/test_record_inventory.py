"""The inventory of credentials: what sessions, scans and checks make of it, and how old databases come by it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from record_builders import (
    FINGERPRINT,
    SECOND,
    START,
    drop_inventory,
    make_home,
    match,
    process,
    read,
    record_walk,
    send,
    session,
)

from agentguard.config import Home
from agentguard.errors import StoreError
from agentguard.model.access import AccessHistory, AgentHistory
from agentguard.model.at_rest import Commit, SecretAtRest
from agentguard.model.credential import FoundBy, KnownCredential
from agentguard.model.event import Event
from agentguard.model.finding import Activity, Finding, Kind
from agentguard.model.secret import KNOWN_VALUE
from agentguard.model.session import DEMO_AGENT
from agentguard.model.verdict import Disposition, Outcome, Severity, Verdict
from agentguard.record.at_rest import Run, keep_at_rest, mark_rotated
from agentguard.record.credentials import TABLES, note_events
from agentguard.record.reader import Reader, histories_before, rotated_before
from agentguard.record.rows import event_image
from agentguard.record.schema import open_database
from agentguard.record.verify import verify
from agentguard.record.writer import Writer

OTHER = "0c" * 16


@pytest.fixture
def guard_home(tmp_path: Path) -> Home:
    return make_home(tmp_path)


def record(home: Home, *judged: tuple[Finding, Verdict], uids: tuple[str, ...] = ("s-one",)) -> None:
    writer = Writer(home)
    writer.start()
    for uid in uids:
        writer.begin_session(session(uid))
    for pair in judged:
        writer.append(*pair)
    assert writer.flush(10)
    writer.close()
    assert writer.lost == 0


def known(home: Home, fingerprint: str = FINGERPRINT) -> KnownCredential:
    found = Reader(home.database).credential(fingerprint)
    assert found is not None
    return found


def at_rest(path: str, line: int = 1, commit: Commit | None = None, fingerprint: str = FINGERPRINT) -> SecretAtRest:
    return SecretAtRest(
        path=path,
        line=line,
        column=1,
        match=match(fingerprint=fingerprint, source_path=""),
        severity=Severity.HIGH,
        commit=commit,
    )


def scan(root: Path, seconds: int, **changes) -> Run:
    return Run(found_by=FoundBy.SCAN, root=root, time_ns=START + seconds * SECOND, **changes)


def test_what_agents_do_with_a_credential_is_counted_by_session_agent_and_receiver(guard_home: Home) -> None:
    blocked, verdict = send(5, of="s-one-e1")
    repeat = replace(send(9)[0], kind=Kind.FINDING, activity=Activity.REPEAT, matches=(), count=7, repeats="s-one-e4")
    record(
        guard_home,
        read(1),
        read(2, process=process(name="cat")),
        read(3, session="s-two", agent="codex"),
        send(4, of="s-one-e1"),
        (blocked, replace(verdict, disposition=Disposition.BLOCKED, outcome=Outcome.CLEAN)),
        (repeat, verdict),
        uids=("s-one", "s-two"),
    )
    one = known(guard_home)
    assert (one.type, one.name, one.preview, one.issuer_hosts) == (
        *("openai-project-key", "OPENAI_API_KEY", "sk-p…9Q"),
        ("api.openai.com",),
    )
    assert (one.first_seen_ns, one.last_seen_ns) == (START + SECOND, START + 9 * SECOND)
    assert [(place.path, place.found_by) for place in one.places] == [("/home/dev/src/shop/.env", FoundBy.SESSION)]
    told = [(use.agent, use.way, use.host, use.outcome, use.blocked, use.count, use.process) for use in one.uses]
    assert told == [
        ("claude-code", Activity.READ, "", Outcome.CLEAN, False, 2, "cat"),
        ("codex", Activity.READ, "", Outcome.CLEAN, False, 1, "python3"),
        ("claude-code", Activity.SEND, "paste.example", Outcome.LEAKED, False, 8, "curl"),
        ("claude-code", Activity.SEND, "paste.example", Outcome.CLEAN, True, 1, "curl"),
    ]
    assert one.uses[2].last_ns == START + 9 * SECOND
    assert verify(guard_home).problems == ()


def test_only_what_is_at_fault_in_a_request_was_leaked(guard_home: Home) -> None:
    login = match(place="header:authorization", name="Authorization")
    prompt = match(fingerprint=OTHER, type=KNOWN_VALUE, name="DATABASE_URL", place="body", issuer_hosts=())
    finding, verdict = send(1, host="api.openai.com", matches=(login, prompt))
    record(guard_home, (finding, replace(verdict, outcome=Outcome.EXPOSED)))
    assert [use.outcome for use in known(guard_home).uses] == [Outcome.CLEAN]
    assert known(guard_home).name == ""
    assert [use.outcome for use in known(guard_home, OTHER).uses] == [Outcome.EXPOSED]


def test_a_recognised_type_and_a_name_say_more_than_none(guard_home: Home) -> None:
    plain = match(type=KNOWN_VALUE, name="", issuer_hosts=())
    record(guard_home, read(1, matches=(plain,)), read(2), read(3, matches=(plain,)))
    one = known(guard_home)
    assert (one.type, one.name, one.issuer_hosts) == ("openai-project-key", "OPENAI_API_KEY", ("api.openai.com",))


def test_what_a_scan_finds_joins_what_sessions_saw(guard_home: Home, tmp_path: Path) -> None:
    record(guard_home, read(1))
    commit = Commit(id="ab" * 20, author="Dev", time=1_600_000_000.0)
    places = [at_rest("src/config.py", 9), at_rest("src/config.py", 3), at_rest("src/config.py", 3, commit)]
    keep_at_rest(guard_home, [*places, at_rest("other.py", fingerprint=OTHER)], scan(tmp_path, 60))
    keep_at_rest(guard_home, places[:1], scan(tmp_path, 70))
    one = known(guard_home)
    assert (one.first_seen_ns, one.last_seen_ns) == (START + SECOND, START + 70 * SECOND)
    config = str(tmp_path.resolve() / "src/config.py")
    assert [(place.path, place.line, place.commit, place.commit_ns) for place in one.places] == [
        ("/home/dev/src/shop/.env", 0, "", 0),
        (config, 9, "", 0),
        (config, 3, "ab" * 20, 1_600_000_000 * SECOND),
    ]
    assert [known(guard_home, "0c").name, len(Reader(guard_home.database).credentials())] == ["OPENAI_API_KEY", 2]
    record(guard_home, read(2, session="s-two", agent="codex"), uids=("s-two",))
    (in_two,) = Reader(guard_home.database).credentials("s-two")
    assert [(use.agent, use.sessions) for use in in_two.uses] == [("codex", 1)]
    assert (in_two.fingerprint, in_two.places) == (FINGERPRINT, known(guard_home).places)


def test_a_place_is_gone_when_the_same_kind_of_run_looked_there_again(guard_home: Home, tmp_path: Path) -> None:
    commit = Commit(id="ab" * 20)
    found = [at_rest("a.py"), at_rest("b.py"), at_rest("c/d.py"), at_rest("a.py", commit=commit)]
    keep_at_rest(guard_home, found, scan(tmp_path, 1))

    def gone() -> list[str]:
        return [Path(place.path).name for place in known(guard_home).places if place.gone_ns]

    keep_at_rest(guard_home, [], scan(tmp_path, 2))
    check = Run(found_by=FoundBy.CHECK, root=tmp_path, time_ns=START + 3 * SECOND, looked_at=lambda path: True)
    keep_at_rest(guard_home, [], check)
    assert gone() == []
    only_b = scan(tmp_path, 4, looked_at=lambda path: path.endswith("/b.py"))
    keep_at_rest(guard_home, [at_rest("a.py")], only_b)
    assert gone() == ["b.py"]
    keep_at_rest(guard_home, [at_rest("b.py")], scan(tmp_path, 5))
    assert gone() == []
    below_c = scan(tmp_path / "c", 6, looked_at=lambda path: "/c/" in path)
    keep_at_rest(guard_home, [at_rest("../b.py")], below_c)
    assert gone() == ["d.py"]
    assert [place.last_seen_ns for place in known(guard_home).places if place.path.endswith("/b.py")] == [
        START + 6 * SECOND
    ]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_value_that_was_replaced_in_its_file_is_gone_from_it(guard_home: Home, at_once: bool) -> None:
    old, new, both = match(), match(fingerprint=OTHER), (match(), match(fingerprint=OTHER))
    judged = [
        read(1, matches=both),
        read(2, matches=(new,)),
        send(3, matches=(old,)),
        read(4, matches=()),
        read(5, matches=(new,)),
        read(6, path="/elsewhere/.env", matches=(new,)),
    ]
    record(guard_home, *judged if at_once else judged[:1])
    for number, one in enumerate(judged[1:] if not at_once else []):
        record(guard_home, one, uids=(f"s-more-{number}",))

    def gone(fingerprint: str) -> dict[str, int | None]:
        return {place.path: place.gone_ns for place in known(guard_home, fingerprint).places}

    path = "/home/dev/src/shop/.env"
    assert gone(FINGERPRINT) == {path: START + 2 * SECOND}
    assert gone(OTHER) == {path: None, "/elsewhere/.env": None}
    record(guard_home, read(7, session="s-again", matches=both), uids=("s-again",))
    assert gone(FINGERPRINT) == {path: None}
    assert verify(guard_home).problems == ()


def test_a_process_is_no_place(guard_home: Home) -> None:
    record(guard_home, read(1, path="/proc/48317/environ"))
    assert known(guard_home).places == ()


def test_what_a_comment_allows_is_asked_for_by_nobody(guard_home: Home, tmp_path: Path) -> None:
    keep_at_rest(guard_home, [at_rest("a.py"), replace(at_rest("b.py"), allowed=True)], scan(tmp_path, 1))
    assert [place.path for place in known(guard_home).places] == [str(tmp_path.resolve() / "a.py")]
    since_then = scan(tmp_path, 2, looked_at=lambda path: True)
    keep_at_rest(guard_home, [replace(at_rest("a.py"), allowed=True)], since_then)
    assert [place.gone_ns for place in known(guard_home).places] == [START + 2 * SECOND]


def test_rotated_is_a_mark_that_can_be_taken_back(guard_home: Home) -> None:
    record(guard_home, read(1))
    mark_rotated(guard_home, FINGERPRINT, START)
    record(guard_home, read(2, session="s-two"), uids=("s-two",))
    assert known(guard_home).rotated_ns == START
    assert rotated_before(guard_home.database) == (FINGERPRINT,)
    mark_rotated(guard_home, FINGERPRINT, None)
    assert known(guard_home).rotated_ns is None
    assert rotated_before(guard_home.database) == rotated_before(guard_home.root / "none.db") == ()


def test_a_beginning_that_several_have_names_none(guard_home: Home) -> None:
    reader = Reader(guard_home.database)
    assert reader.credentials() == []
    record(guard_home, read(1), read(2, matches=(match(fingerprint="7f" * 16),)))
    with pytest.raises(StoreError, match="2 credentials begin with '7f'"):
        reader.credential("7f")
    assert [reader.credential(name) for name in ("", "99", "%", "\udcff")] == [None] * 4


def test_what_is_worked_out_again_is_the_same_to_the_nanosecond(guard_home: Home) -> None:
    odd = replace(send(2, of="s-one-e1")[0], time_ns=START + 2 * SECOND + 987_654_321)
    repeat = replace(odd, uid="r", kind=Kind.FINDING, activity=Activity.REPEAT, matches=(), count=2, repeats=odd.uid)
    record(guard_home, read(1.123456789), (odd, send(2)[1]), (repeat, send(2)[1]))
    assert verify(guard_home).problems == ()


def test_an_old_database_gets_its_inventory_from_its_events(guard_home: Home) -> None:
    writer = Writer(guard_home)
    writer.start()
    record_walk(writer)
    writer.append(*read(4, session="s-one", process=process(name="cat")))
    writer.flush(10)
    writer.close()
    expected = Reader(guard_home.database).credentials()
    assert expected
    with sqlite3.connect(guard_home.database) as connection:
        drop_inventory(connection)
        connection.execute("PRAGMA user_version = 2")
    reader = Reader(guard_home.database)
    assert reader.credentials() == []
    open_database(guard_home.database).close()
    assert reader.credentials() == expected


def test_a_database_that_cannot_be_written_is_said_in_words(guard_home: Home, tmp_path: Path) -> None:
    guard_home.database.write_bytes(b"no database at all, and longer than a header")
    with pytest.raises(StoreError, match="not a database"):
        keep_at_rest(guard_home, [at_rest("a.py")], scan(tmp_path, 1))


def test_what_a_session_is_compared_with_is_what_was_before_it(guard_home: Home) -> None:
    fresh = "5e" * 16
    starts = {"s-one": 0, "s-two": 100, "s-three": 200, "s-now": 300, "s-later": 400}
    writer = Writer(guard_home)
    writer.start()
    for uid, at in starts.items():
        writer.begin_session(session(uid, agent="codex", start_ns=START + at * SECOND))
    for number in (1, 2, 3, 201, 301, 302, 401):
        uid = next(uid for uid, at in reversed(starts.items()) if at < number)
        writer.append(*read(number, session=uid, agent="codex"))
    writer.append(*send(203, session="s-three", agent="codex"))
    writer.append(*read(301.5, session="s-now", agent="codex", matches=(match(fingerprint=fresh),)))
    assert writer.flush(10)
    writer.close()
    mark_rotated(guard_home, FINGERPRINT, START + 250 * SECOND)
    found = histories_before(guard_home.database, "s-now", START + 300 * SECOND)
    assert found == {
        FINGERPRINT: AccessHistory(
            rotated_ns=START + 250 * SECOND,
            agents={"codex": AgentHistory(sessions=2, taken_in=2, most=3)},
        )
    }
    guard_home.database.write_bytes(b"no database at all, and longer than a header")
    assert histories_before(guard_home.database, "s-now", START + 300 * SECOND) == {}
    assert histories_before(guard_home.root / "none.db", "s-now", 0) == {}


def test_a_commit_may_bear_any_date(guard_home: Home, tmp_path: Path) -> None:
    dates = {"a.py": 1e300, "b.py": -1e300, "c.py": float("nan"), "d.py": 86_400.0}
    found = [at_rest(path, commit=Commit(id="ab" * 20, time=time)) for path, time in dates.items()]
    keep_at_rest(guard_home, found, scan(tmp_path, 1))
    assert [place.commit_ns // SECOND for place in known(guard_home).places] == [9_223_372_036, 0, 0, 86_400]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["read", "send"]),
        st.sets(st.sampled_from([FINGERPRINT, OTHER]), min_size=1),
        st.sampled_from(["/a/.env", "/b/.env"]),
        st.sampled_from(["cat", "curl"]),
        st.sampled_from([0, 0, 0, -2]),
        st.booleans(),
    ),
    max_size=8,
)
"""What was done with which credentials of which file by whom, how much later it was seen, whether a page ends there."""


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_it_does_not_matter_how_events_come_together(
    steps: list[tuple[str, set[str], str, str, int, bool]],
) -> None:
    pages: list[list[Event]] = [[]]
    for number, (act, fingerprints, path, program, late, ends_page) in enumerate(steps):
        matches = tuple(match(fingerprint=one, source_path=path) for one in sorted(fingerprints))
        facts = {"matches": matches, "process": process(name=program)}
        made = read(number + late, path=path, **facts) if act == "read" else send(number + late, **facts)
        pages[-1].append(Event(number + 1, *made))
        if ends_page:
            pages.append([])
    *found, places = tables(pages)
    *expected, as_one = tables([[event for page in pages for event in page]])
    assert found == expected
    if not any(late for *_, late, _ in steps):
        assert places == as_one


def tables(pages: list[list[Event]]) -> list[list[tuple[object, ...]]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(TABLES)
        for page in pages:
            note_events(connection, [event_image(event).data for event in page])
        gone = "SELECT fingerprint, path, first_seen_ns, last_seen_ns, gone_ns IS NULL FROM credential_places"
        every = ("SELECT * FROM credentials", "SELECT * FROM credential_uses", gone)
        return [sorted(connection.execute(sql), key=str) for sql in every]


def test_what_only_the_demo_had_is_left_out_of_the_inventory(guard_home: Home) -> None:
    """It made it up. A credential that another agent had too, or that lies in a file that was scanned, is real."""
    both, scanned, only = "b0" * 16, "5c" * 16, "d0" * 16
    writer = Writer(guard_home)
    writer.start()
    for uid, agent, fingerprints in (("s-demo", DEMO_AGENT, (both, scanned, only)), ("s-one", "unknown", (both,))):
        writer.begin_session(session(uid, agent=agent))
        matches = tuple(match(fingerprint=one) for one in fingerprints)
        for make, number in ((read, 1), (send, 2)):
            writer.append(*make(number, session=uid, agent=agent, matches=matches))
    assert writer.flush(10)
    writer.close()
    run = Run(found_by=FoundBy.SCAN, root=Path("/src"), time_ns=START + 9 * SECOND)
    keep_at_rest(guard_home, [at_rest("config.py", fingerprint=scanned)], run)

    reader = Reader(guard_home.database)
    assert {one.fingerprint for one in reader.credentials()} == {both, scanned}
    assert {one.fingerprint for one in reader.credentials(made_up=True)} == {both, scanned, only}
    assert {one.fingerprint for one in reader.credentials("s-demo")} == {both, scanned, only}
    assert known(guard_home, only).uses[0].agent == DEMO_AGENT
