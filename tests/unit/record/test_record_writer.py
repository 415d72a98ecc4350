"""The writer against a real database."""

from __future__ import annotations

import stat
import time
from dataclasses import replace
from pathlib import Path

import pytest
from record_builders import SECOND, START, gap, leaked, make_home, process, read, record_walk, send, session

from agentguard.config import Home
from agentguard.errors import StoreError
from agentguard.model.verdict import Outcome
from agentguard.record.reader import Reader
from agentguard.record.verify import verify
from agentguard.record.writer import Writer


@pytest.fixture
def guard_home(tmp_path: Path) -> Home:
    return make_home(tmp_path)


@pytest.fixture
def writer(guard_home: Home):
    told: list[str] = []
    writer = Writer(guard_home, on_error=told.append)
    writer.start()
    yield writer
    writer.close()
    assert told == []
    assert writer.lost == 0


def test_what_is_appended_is_read_back_as_it_was(guard_home: Home, writer: Writer) -> None:
    begun = record_walk(writer)
    assert writer.flush(5)
    reader = Reader(guard_home.database)
    events = reader.events("s-one")
    assert [event.seq for event in events] == [1, 2, 3]
    assert [(event.finding, event.verdict) for event in events] == [
        read(1),
        send(2, of="s-one-e1"),
        gap(3),
    ]
    found = reader.session("s-one")
    assert found is not None
    assert replace(found, counts={}) == begun
    assert found.counts == {
        "reads": 1,
        "sends": 1,
        "flows": 1,
        "gaps": 1,
        "gaps_counted": 1,
        "alerts": 2,
        "blocked": 0,
        "commands": 0,
        "inherited": 0,
        "secrets": 1,
    }


@pytest.mark.timed
def test_an_event_is_in_the_database_within_a_quarter_second(guard_home: Home, writer: Writer) -> None:
    writer.begin_session(session())
    reader = Reader(guard_home.database)
    writer.flush(5)
    began = time.monotonic()
    writer.append(*read(1))
    handed_over = time.monotonic() - began
    while not reader.count_events("s-one"):
        assert time.monotonic() - began < 0.25
        time.sleep(0.005)
    assert handed_over < 0.01


def test_database_and_its_side_files_are_private(guard_home: Home, writer: Writer) -> None:
    writer.begin_session(session())
    writer.flush(5)
    files = list(guard_home.root.glob("agentguard.db*"))
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_seal_closes_the_session_for_good(guard_home: Home, writer: Writer) -> None:
    ended = leaked(record_walk(writer))
    seal = writer.end_session(ended)
    assert len(seal) == 64
    writer.update_session(replace(ended, outcome=Outcome.CLEAN, outcome_reason=""))
    assert writer.end_session(replace(ended, exit_status=3)) == seal
    found = Reader(guard_home.database).session("s-one")
    assert found is not None
    assert (found.seal, found.outcome, found.exit_status) == (seal, Outcome.LEAKED, 0)
    assert verify(guard_home).problems == ()


def test_names_that_are_no_text_are_kept_visibly(guard_home: Home, writer: Writer) -> None:
    strange = "bad\udcff\ud800\x00name"
    writer.begin_session(session(cwd=strange, command=(strange,)))
    writer.append(*read(1, path=strange, subject=strange, process=process(name=strange)))
    writer.add_processes("s-one", [process(name=strange)])
    assert writer.end_session(session(cwd=strange, command=(strange,)))
    assert [event.finding.process.name for event in Reader(guard_home.database).events() if event.finding.process] != []
    assert verify(guard_home).problems == ()


def test_one_bad_event_costs_only_itself(guard_home: Home) -> None:
    told: list[str] = []
    writer = Writer(guard_home, on_error=told.append)
    writer.start()
    writer.begin_session(session())
    writer.append(*read(1))
    writer.append(*read(2, session="never-begun"))
    writer.append(*read(3))
    writer.flush(5)
    writer.close()
    assert writer.lost == 1
    assert told == ["something could not be recorded (IntegrityError); everything else is"]
    assert [event.finding.uid for event in Reader(guard_home.database).events()] == ["s-one-e1", "s-one-e3"]
    assert verify(guard_home).problems == ()


def test_a_process_is_known_by_its_newest_program(guard_home: Home, writer: Writer) -> None:
    writer.begin_session(session())
    writer.add_processes("s-one", [process(7, "bash")])
    writer.add_processes("s-one", [process(7, "curl", cmdline=("curl", "x"))])
    writer.flush(5)
    (known,) = Reader(guard_home.database).processes("s-one")
    assert (known.pid, known.name, known.cmdline, known.parent_pid) == (7, "curl", ("curl", "x"), 48311)


def test_a_session_whose_guard_died_is_sealed_at_the_next_start(guard_home: Home, writer: Writer) -> None:
    record_walk(writer)
    writer.flush(5)
    later = Writer(guard_home)
    later._supervisor = replace(later._supervisor, pid=1)  # another process
    later.start()
    assert later.recover(lambda _pid: True) == []
    (sealed,) = later.recover(lambda _pid: False, last_words=lambda _session: [gap(4)])
    later.close()
    assert (sealed.end_reason, sealed.outcome, sealed.counts["gaps"]) == ("guard-died", Outcome.LEAKED, 2)
    assert sealed.outcome_reason == send(2)[1].reason, "of the leak, not of the gap that came last"
    assert sealed.end_ns == START + 4 * SECOND
    assert sealed.seal
    assert verify(guard_home).problems == ()


def test_a_quiet_session_whose_guard_died_is_not_called_clean(guard_home: Home, writer: Writer) -> None:
    writer.begin_session(session())
    writer.flush(5)
    sealed = writer.seal_abandoned(session())
    assert sealed.outcome is Outcome.UNKNOWN
    assert "guard was stopped" in sealed.outcome_reason


def test_a_database_of_a_newer_version_is_refused(guard_home: Home) -> None:
    from agentguard.record.schema import open_database

    database = open_database(guard_home.database)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(StoreError, match="newer AgentGuard"):
        Writer(guard_home).start()


def test_a_file_that_is_no_database_is_refused(guard_home: Home) -> None:
    guard_home.database.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="not a database"):
        Writer(guard_home).start()
