"""Every way to change the record by hand is found; a record that was not changed is never accused."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from record_builders import SECOND, START, drop_inventory, leaked, make_home, read, record_walk, session

from agentguard.config import Home
from agentguard.model.session import Coverage, SensorState
from agentguard.record.reader import Reader
from agentguard.record.verify import Problem, verify
from agentguard.record.writer import Writer

UNSEALED = "its seal does not fit: its row, its process tree or its last event was changed"


@pytest.fixture
def guard_home(tmp_path: Path) -> Home:
    """Two sealed sessions and one whose guard died."""
    found = make_home(tmp_path)
    writer = Writer(found)
    writer.start()
    for number, uid in enumerate(("s-one", "s-two")):
        writer.end_session(leaked(record_walk(writer, uid, START + number * 100 * SECOND)))
    record_walk(writer, "s-open", START + 300 * SECOND)
    writer.close()
    return found


def edit(guard_home: Home, *statements: str) -> None:
    with sqlite3.connect(guard_home.database) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        for statement in statements:
            changed = connection.execute(statement).rowcount
            assert changed != 0, f"{statement} changed nothing"
    connection.close()


def words(guard_home: Home) -> list[tuple[str, int, str]]:
    return [(problem.session, problem.seq, problem.what) for problem in verify(guard_home).problems]


def test_a_database_of_the_first_schema_is_read_and_its_seals_hold(tmp_path: Path) -> None:
    found = make_home(tmp_path)
    writer = Writer(found)
    writer.start()
    unproved = (Coverage(sensor="seccomp", state=SensorState.STOPPED),)
    writer.end_session(replace(leaked(record_walk(writer, "s-old", START)), coverage=unproved))
    writer.close()
    with sqlite3.connect(found.database) as connection:
        connection.execute("ALTER TABLE coverage DROP COLUMN proved_ns")
        drop_inventory(connection)
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    reader = Reader(found.database)
    (old,) = reader.sessions()
    reader.close()
    assert old.coverage == unproved
    newer = Writer(found)
    newer.start()
    newer.close()
    assert verify(found).problems == ()


def test_an_untouched_record_is_whole(guard_home: Home) -> None:
    result = verify(guard_home)
    assert result.problems == ()
    assert (result.sessions, result.events, result.unsealed) == (3, 9, ("s-open",))


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (
            ["UPDATE events SET json = replace(json, 'paste.example', 'good.example') WHERE uid = 's-one-e2'"],
            ("s-one", 2, "it was changed, or its place in the chain was"),
        ),
        (["UPDATE coverage SET proved_ns = proved_ns + 1 WHERE session = 's-one'"], ("s-one", 0, UNSEALED)),
        (["UPDATE events SET severity = 0 WHERE uid = 's-two-e1'"], ("s-two", 1, "a column of its row was changed")),
        (["UPDATE events SET subject = 'x' WHERE uid = 's-open-e1'"], ("s-open", 1, "a column of its row was changed")),
        (["DELETE FROM matches WHERE event = 1"], ("s-one", 1, "its list of credentials was changed")),
        (
            ["UPDATE credential_uses SET outcome = 'clean' WHERE session = 's-one' AND way = 'send'"],
            ("s-one", 0, "the inventory of credentials differs from its events in 2 row(s)"),
        ),
        (
            ["DELETE FROM credential_uses WHERE session = 's-two' AND way = 'read'"],
            ("s-two", 0, "the inventory of credentials differs from its events in 1 row(s)"),
        ),
        (["DELETE FROM events WHERE uid = 's-one-e2'"], ("s-one", 3, "1 event(s) before it are missing")),
        (["DELETE FROM events WHERE uid = 's-open-e1'"], ("s-open", 2, "1 event(s) before it are missing")),
        (
            ["DELETE FROM events WHERE uid = 's-one-e3'"],
            ("s-one", 0, "it was sealed with 3 events and now has 2"),
        ),
        (
            ["DELETE FROM events WHERE session = 's-two'"],
            ("s-two", 0, "it was sealed with 3 events and now has 0"),
        ),
        (
            [
                "UPDATE events SET seq = -1 WHERE uid = 's-one-e1'",
                "UPDATE events SET seq = 1 WHERE uid = 's-one-e2'",
                "UPDATE events SET seq = 2 WHERE uid = 's-one-e1'",
            ],
            ("s-one", 1, "it was changed, or its place in the chain was"),
        ),
        (
            ["UPDATE sessions SET outcome = 'clean' WHERE uid = 's-one'"],
            ("s-one", 0, UNSEALED),
        ),
        (
            ["UPDATE coverage SET drops = 0, proved = 0 WHERE session = 's-one'"],
            ("s-one", 0, UNSEALED),
        ),
        (
            ["UPDATE processes SET name = 'good' WHERE session = 's-two'"],
            ("s-two", 0, UNSEALED),
        ),
        (["UPDATE sessions SET seal = '' WHERE uid = 's-one'"], ("s-one", 0, "its seal was removed")),
        (
            ["UPDATE sessions SET seal = 'é' || seal WHERE uid = 's-one'"],
            ("s-one", 0, "its seal is not the one in the register"),
        ),
        (["DELETE FROM sessions WHERE uid = 's-one'"], ("s-one", 0, "the session was removed")),
        (
            ["DELETE FROM sessions WHERE uid = 's-open'", "DELETE FROM events WHERE session = 's-open'"],
            ("s-open", 0, "the session was removed"),
        ),
        (
            ["DELETE FROM register WHERE session = 's-one'"],
            ("s-one", 0, "the session is not in the register"),
        ),
        (
            ["DELETE FROM register WHERE id = 2"],
            ("", 0, "the register misses 1 row(s) before row 3"),
        ),
        (
            [
                "DELETE FROM sessions WHERE uid = 's-open'",
                "DELETE FROM events WHERE session = 's-open'",
                "DELETE FROM register WHERE session = 's-open'",
            ],
            ("", 0, "the end of the register is missing, or the database is an older copy"),
        ),
        (
            ["UPDATE register SET events = 9 WHERE id = 2"],
            ("s-one", 0, "row 2 of the register was changed"),
        ),
    ],
)
def test_a_change_by_hand_is_found(guard_home: Home, statements: list[str], expected: tuple[str, int, str]) -> None:
    edit(guard_home, *statements)
    assert expected in words(guard_home)


def test_events_swapped_between_sessions_are_found(guard_home: Home) -> None:
    edit(
        guard_home,
        "UPDATE events SET session = 'aside' WHERE session = 's-one'",
        "UPDATE events SET session = 's-one' WHERE session = 's-two'",
        "UPDATE events SET session = 's-two' WHERE session = 'aside'",
    )
    assert {(problem.session, problem.seq) for problem in verify(guard_home).problems} >= {("s-one", 1), ("s-two", 1)}


def test_one_edit_is_one_problem(guard_home: Home) -> None:
    edit(guard_home, "UPDATE events SET json = json || ' ' WHERE uid = 's-one-e1'")
    assert verify(guard_home).problems == (Problem("s-one", 1, "it was changed, or its place in the chain was"),)
    assert verify(guard_home, "s-two").problems == ()


@pytest.mark.parametrize("body", ["{}", "not json", "[]", '{"seq": 1}'])
def test_an_event_that_is_none_is_a_problem_not_a_crash(guard_home: Home, body: str) -> None:
    edit(guard_home, f"UPDATE events SET json = '{body}' WHERE uid = 's-one-e1'")
    assert ("s-one", 1, "it was changed, or its place in the chain was") in words(guard_home)


def test_an_older_copy_of_the_database_is_found(guard_home: Home, tmp_path: Path) -> None:
    shutil.copy(guard_home.database, tmp_path / "older.db")
    writer = Writer(guard_home)
    writer.start()
    writer.begin_session(session("s-late"))
    writer.append(*read(1, session="s-late"))
    writer.close()
    assert words(guard_home) == []
    shutil.copy(tmp_path / "older.db", guard_home.database)
    assert words(guard_home) == [("", 0, "the end of the register is missing, or the database is an older copy")]
    guard_home.database.unlink()
    assert words(guard_home) == [("", 0, "the database is missing")]


def test_another_key_accuses_everything(guard_home: Home) -> None:
    (guard_home.root / "chain.key").write_text("11" * 32)
    assert len(verify(guard_home).problems) > 9


def test_a_missing_key_is_said_and_not_replaced(guard_home: Home) -> None:
    (guard_home.root / "chain.key").unlink()
    assert words(guard_home) == [("", 0, "the key of the chain (chain.key) is missing")]
    assert not (guard_home.root / "chain.key").exists()


def test_no_record_at_all_is_whole(tmp_path: Path) -> None:
    result = verify(make_home(tmp_path))
    assert (result.sessions, result.problems) == (0, ())


def test_a_register_whose_noted_end_was_removed_is_not_whole(guard_home: Home) -> None:
    """Without it the newest sessions could be cut off, and nothing would show."""
    (guard_home.root / "register.head").unlink()
    assert [problem.what for problem in verify(guard_home).problems] == [
        "the end of the register is missing, or the database is an older copy"
    ]
