"""Several processes on one file, a full disk, a lock that stays, a folder that turns read-only."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from record_builders import leaked, make_home, read, record_walk, session

from agentguard.record import writer as writer_module
from agentguard.record.reader import EventQuery, Reader
from agentguard.record.verify import verify
from agentguard.record.writer import Writer

EACH = 2_000

WRITE_MANY = """
import sys
from pathlib import Path
from record_builders import leaked, make_home, read, session
from agentguard.record.writer import Writer

told = []
writer = Writer(make_home(Path(sys.argv[1])), on_error=told.append)
writer.start()
begun = session(sys.argv[2])
writer.begin_session(begun)
for number in range(1, int(sys.argv[3]) + 1):
    writer.append(*read(number, session=begun.uid))
assert writer.flush(60)
assert writer.end_session(leaked(begun))
writer.close()
print(writer.lost, told)
"""

FULL_DISK = """
import resource, sys
from pathlib import Path
from record_builders import leaked, make_home, read, session
from agentguard.record.writer import Writer

told = []
writer = Writer(make_home(Path(sys.argv[1])), on_error=told.append)
writer.start()
writer.begin_session(session())
assert writer.flush(10)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, hard))
for number in range(1, 3001):
    writer.append(*read(number))
assert not writer.flush(2)
during = list(told)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
assert writer.flush(30)
assert writer.end_session(leaked(session()))
writer.close()
print(len(during), writer.lost)
print("\\n".join(told))
"""


def child(code: str, *arguments: str) -> subprocess.Popen[str]:
    root = Path(__file__).resolve().parents[3]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "PYTHONPATH": f"{root}:{root / 'tests'}:{os.environ.get('PYTHONPATH', '')}",
    }
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_two_processes_and_a_reader_share_one_file(tmp_path: Path) -> None:
    writers = [child(WRITE_MANY, str(tmp_path), uid, str(EACH)) for uid in ("s-a", "s-b")]
    reader = Reader(tmp_path / "home" / "agentguard.db")
    seen: list[int] = []
    while any(writer.poll() is None for writer in writers):
        rows = reader.rows(EventQuery(after=seen[-1] if seen else 0, limit=500))
        seen += [row.id for row in rows]
        time.sleep(0.01)
    assert [writer.communicate()[0].strip() for writer in writers] == ["0 []", "0 []"]
    while rows := reader.rows(EventQuery(after=seen[-1] if seen else 0, limit=500)):
        seen += [row.id for row in rows]
    assert len(seen) == len(set(seen)) == 2 * EACH
    for uid in ("s-a", "s-b"):
        assert [event.seq for event in reader.events(uid)] == list(range(1, EACH + 1))
    result = verify(make_home(tmp_path))
    assert (result.events, result.unsealed, result.problems) == (2 * EACH, (), ())


def test_a_full_disk_is_one_line_and_loses_nothing_when_space_returns(tmp_path: Path) -> None:
    output = child(FULL_DISK, str(tmp_path)).communicate(timeout=60)[0]
    first, *told = output.strip().splitlines()
    assert first == "1 0", output
    assert len(told) == 2
    assert told[0].startswith("cannot write ")
    assert told[0].endswith("; events wait in memory (100,000 at most)")
    assert told[1].endswith("again; no events were lost")
    guard_home = make_home(tmp_path)
    assert Reader(guard_home.database).count_events("s-one") == 3000
    assert verify(guard_home).problems == ()


def test_a_lock_that_stays_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentguard.record.schema.BUSY_MS", 50)
    guard_home = make_home(tmp_path)
    told: list[str] = []
    writer = Writer(guard_home, on_error=told.append)
    writer.start()
    writer.begin_session(session())
    assert writer.flush(5)
    rival = sqlite3.connect(guard_home.database, isolation_level=None)
    rival.execute("BEGIN IMMEDIATE")
    writer.append(*read(1))
    until(lambda: bool(told))
    assert "another process keeps it locked" in told[0]
    rival.execute("ROLLBACK")
    rival.close()
    assert writer.flush(10)
    writer.close()
    assert writer.lost == 0
    assert Reader(guard_home.database).count_events() == 1


def test_what_does_not_fit_into_memory_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "QUEUE_LIMIT", 100)
    monkeypatch.setattr("agentguard.record.schema.BUSY_MS", 20)
    guard_home = make_home(tmp_path)
    writer = Writer(guard_home)
    writer.start()
    writer.begin_session(session())
    assert writer.flush(5)
    rival = sqlite3.connect(guard_home.database, isolation_level=None)
    rival.execute("BEGIN IMMEDIATE")
    for number in range(1, 151):
        writer.append(*read(number))
    assert writer.lost == 50
    rival.execute("ROLLBACK")
    rival.close()
    assert writer.flush(10)
    writer.close()
    assert Reader(guard_home.database).count_events() == 100
    assert verify(guard_home).problems == ()


def test_closing_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentguard.record.schema.BUSY_MS", 20)
    guard_home = make_home(tmp_path)
    writer = Writer(guard_home)
    writer.start()
    begun = record_walk(writer)
    assert writer.flush(5)
    rival = sqlite3.connect(guard_home.database, isolation_level=None)
    rival.execute("BEGIN IMMEDIATE")
    writer.append(*read(4))
    assert writer.end_session(leaked(begun), timeout=0.2) == ""
    began = time.monotonic()
    writer.close(timeout=0.5)
    assert time.monotonic() - began < 6
    assert writer.lost == 1
    rival.execute("ROLLBACK")
    rival.close()
    assert verify(guard_home).unsealed == ("s-one",)
