"""What is purged is gone, what is kept is whole, and the record says what is missing: whatever happens meanwhile."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from record_builders import SECOND, START, leaked, make_home, match, read, record_walk, session

from agentguard.config import Home
from agentguard.record import purge as purging
from agentguard.record import space as spacing
from agentguard.record.at_rest import mark_rotated
from agentguard.record.purge import forget_credentials, purge, purgeable
from agentguard.record.reader import Reader
from agentguard.record.space import GivenBack, give_back, space
from agentguard.record.verify import verify
from agentguard.record.writer import Writer

LATER = START + 1000 * SECOND
CUT = START + 500 * SECOND
"""The sessions s-one and s-two ended before it; s-late did not, and s-open runs since before it."""


@pytest.fixture
def guard_home(tmp_path: Path) -> Home:
    found = make_home(tmp_path)
    writer = Writer(found)
    writer.start()
    for uid, start in (("s-one", START), ("s-two", START + 100 * SECOND), ("s-late", LATER)):
        writer.end_session(leaked(record_walk(writer, uid, start)))
    record_walk(writer, "s-open", START + 200 * SECOND)
    writer.close()
    found.reports.mkdir()
    for uid in ("s-one", "s-late"):
        (found.reports / f"{uid}.html").write_text("a report")
    return found


def run(home: Home) -> None:
    purge(home, purgeable(home, CUT), lambda _events: None)


def edit(home: Home, *statements: str) -> None:
    with sqlite3.connect(home.database) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount
    connection.close()


def left(home: Home, table: str, column: str = "session") -> set[str]:
    with sqlite3.connect(home.database) as connection:
        found = {row[0] for row in connection.execute(f"SELECT {column} FROM {table}")}
    connection.close()
    return found


def test_old_sessions_go_with_all_that_is_theirs(guard_home: Home) -> None:
    old = purgeable(guard_home, CUT)
    assert [one.uid for one in old.sessions] == ["s-one", "s-two"]
    assert (old.events, old.still_open) == (6, 1)
    run(guard_home)
    for table in ("coverage", "events", "processes", "matches"):
        assert left(guard_home, table) == {"s-late", "s-open"}
    assert left(guard_home, "sessions", "uid") == {"s-late", "s-open"}
    assert [path.name for path in guard_home.reports.iterdir()] == ["s-late.html"]
    with sqlite3.connect(guard_home.database) as connection:
        connection.execute("INSERT INTO events_fts (events_fts) VALUES ('integrity-check')")
    connection.close()
    assert purgeable(guard_home, CUT).sessions == ()


def test_the_record_stays_verifiable_and_says_up_to_when(guard_home: Home) -> None:
    run(guard_home)
    result = verify(guard_home)
    assert result.problems == ()
    assert (result.sessions, result.purged, result.purged_before_ns) == (2, 2, CUT)
    writer = Writer(guard_home)
    writer.start()
    writer.end_session(leaked(record_walk(writer, "s-new", LATER)))
    writer.close()
    assert verify(guard_home).problems == ()


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["DELETE FROM sessions WHERE uid = 's-late'"], "the session was removed"),
        (["DELETE FROM register WHERE kind = 'purge' AND session = 's-one'"], "the session was removed"),
        (["UPDATE register SET time_ns = 1 WHERE session = 's-one' AND kind = 'purge'"], "was changed"),
        (["UPDATE register SET time_ns = 1 WHERE session = 's-one' AND kind = 'start'"], "was changed"),
        (["UPDATE register SET events = 9 WHERE session = 's-one' AND kind = 'purge'"], "not as it was sealed"),
        (
            [
                "INSERT INTO register (kind, session, events, last_link, time_ns, hash) "
                "SELECT 'purge', session, events, last_link, 1, hash FROM register "
                "WHERE session = 's-late' AND kind = 'seal'",
                "DELETE FROM sessions WHERE uid = 's-late'",
            ],
            "row 10 of the register was changed",
        ),
    ],
)
def test_a_purge_is_no_cover_for_what_is_removed_by_hand(guard_home: Home, statements: list[str], said: str) -> None:
    run(guard_home)
    edit(guard_home, *statements)
    assert any(said in problem.what for problem in verify(guard_home).problems)


def test_that_a_key_leaked_does_not_grow_old(guard_home: Home) -> None:
    reader = Reader(guard_home.database)
    before = reader.credentials()
    run(guard_home)
    assert reader.credentials() == before
    assert forget_credentials(guard_home, LATER * 2) == 0
    reader.close()


def test_keys_that_nobody_has_to_think_of_are_forgotten(guard_home: Home) -> None:
    writer = Writer(guard_home)
    writer.start()
    plain = session("s-plain")
    writer.begin_session(plain)
    for number, fingerprint in enumerate(("aa" * 16, "bb" * 16)):
        writer.append(*read(number + 1, session="s-plain", matches=(match(fingerprint=fingerprint),)))
    writer.end_session(leaked(plain))
    writer.close()
    assert forget_credentials(guard_home, CUT) == 0  # Their session is still there.
    mark_rotated(guard_home, "bb" * 16, START)
    run(guard_home)
    assert forget_credentials(guard_home, CUT) == 1
    reader = Reader(guard_home.database)
    assert reader.credential("aa" * 16) is None
    assert reader.credential("bb" * 16) is not None
    reader.close()
    assert verify(guard_home).problems == ()


KILLED = """
import os, signal, sys
from pathlib import Path
from agentguard.config import Home
from agentguard.record import purge as purging
purging.MOST_AT_ONCE = 1
steps = int(sys.argv[2])
def tell(_events):
    global steps
    steps -= 1
    if not steps:
        os.kill(os.getpid(), signal.SIGKILL)
home = Home(Path(sys.argv[1]))
purging.purge(home, purging.purgeable(home, int(sys.argv[3])), tell)
"""


@pytest.mark.parametrize("steps", [1, 4, 5])
def test_killed_midway_nothing_is_accused_and_the_next_one_goes_on(guard_home: Home, steps: int) -> None:
    """A long session goes in several steps: here three events, and a last look that finds none."""
    words = [sys.executable, "-c", KILLED, str(guard_home.root), str(steps), str(CUT)]
    assert subprocess.run(words, check=False).returncode == -9
    result = verify(guard_home)
    assert result.problems == ()
    half = {1: ("s-one",), 4: (), 5: ("s-two",)}[steps]
    assert result.half_purged == half
    assert set(half) <= {one.uid for one in purgeable(guard_home, 0).sessions}  # Whatever age is asked for.
    run(guard_home)
    assert verify(guard_home).half_purged == verify(guard_home).problems == ()
    assert left(guard_home, "events") == {"s-late", "s-open"}


def test_a_running_session_goes_on_writing(guard_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(purging, "_WORK_SECONDS", 0)
    told: list[str] = []
    writer = Writer(guard_home, on_error=told.append)
    writer.start()
    running = record_walk(writer, "s-running", LATER)
    worker = threading.Thread(target=run, args=[guard_home])
    worker.start()
    for number in range(4, 200):
        writer.append(*read(number, session="s-running"))
        assert writer.flush(10)
    worker.join(20)
    assert writer.end_session(leaked(running))
    writer.close()
    assert told == []
    result = verify(guard_home)
    assert result.problems == ()
    assert (result.purged, result.events) == (2, 3 + 3 + 199)


def grown(home: Home) -> None:
    """Half a megabyte more in one session."""
    writer = Writer(home)
    writer.start()
    begun = session("s-long")
    writer.begin_session(begun)
    for number in range(1, 400):
        writer.append(*read(number, session="s-long", subject="x" * 1000))
    writer.end_session(leaked(begun))
    writer.close()


def test_room_is_given_back_in_small_steps(guard_home: Home) -> None:
    grown(guard_home)
    full = space(guard_home.database)
    run(guard_home)
    assert give_back(guard_home, alone=False, tell=lambda _left: None) is GivenBack.DONE
    now = space(guard_home.database)
    assert full is not None
    assert now is not None
    assert now.used < full.used / 2
    assert now.free == 0
    assert (now.sessions, now.events, now.oldest_ns) == (2, 6, START + 200 * SECOND)
    assert full.given_back_ns is None
    assert now.given_back_ns is not None
    assert verify(guard_home).problems == ()


def test_an_old_database_is_written_anew_when_nothing_runs_and_there_is_room(
    guard_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown(guard_home)
    run(guard_home)
    with sqlite3.connect(guard_home.database) as connection:
        connection.isolation_level = None
        connection.execute("PRAGMA auto_vacuum = NONE")
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("VACUUM")
    connection.close()
    assert give_back(guard_home, alone=False, tell=lambda _left: None) is GivenBack.WAITS
    monkeypatch.setattr(spacing, "_SPARE", 1 << 60)
    assert give_back(guard_home, alone=True, tell=lambda _left: None) is GivenBack.NO_ROOM
    monkeypatch.undo()
    assert give_back(guard_home, alone=True, tell=lambda _left: None) is GivenBack.DONE
    with sqlite3.connect(guard_home.database) as connection:
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    connection.close()
    assert verify(guard_home).problems == ()
