"""`agentguard verify`: 0 whole, 1 broken, 2 cannot be checked; in plain words."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from record_builders import SECOND, START, leaked, make_home, record_walk
from schema_check import faults

from agentguard.cli import main
from agentguard.config import Home
from agentguard.record.writer import Writer


@pytest.fixture
def guard_home(tmp_path: Path) -> Home:
    found = make_home(tmp_path)
    writer = Writer(found)
    writer.start()
    writer.end_session(leaked(record_walk(writer)))
    record_walk(writer, "s-open", START + 100 * SECOND)
    writer.close()
    return found


def verify(guard_home: Home, *options: str) -> int:
    return main(["verify", "--home", str(guard_home.root), *options])


def test_a_whole_record_is_0(guard_home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(guard_home) == 0
    assert capsys.readouterr().out.splitlines() == [
        "✓ whole: 2 sessions, 6 events checked; nothing was changed.",
        "○ 1 session not sealed yet (running, or its guard died): the events were checked, the end of the chain is "
        "open.",
    ]


def test_a_changed_record_is_1_and_says_where(guard_home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with sqlite3.connect(guard_home.database) as connection:
        connection.execute("UPDATE events SET severity = 0 WHERE uid = 's-one-e2'")
    connection.close()
    assert verify(guard_home) == 1
    assert capsys.readouterr().out.splitlines()[:2] == [
        "✕ broken: 2 sessions, 6 events checked; 1 place where the record was changed:",
        "  session s-one, event 2: a column of its row was changed",
    ]
    assert verify(guard_home, "--session", "s-open") == 0
    capsys.readouterr()
    assert verify(guard_home, "--format", "json") == 1
    found = json.loads(capsys.readouterr().out)
    assert faults(found, "verify") == []
    assert {name: found[name] for name in found if name not in ("schema", "version")} == {
        "whole": False,
        "sessions": 2,
        "events": 6,
        "unsealed": ["s-open"],
        "purged": 0,
        "purged_before": None,
        "half_purged": [],
        "problems": [{"session": "s-one", "seq": 2, "what": "a column of its row was changed"}],
    }


def test_what_cannot_be_checked_is_2(guard_home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    for file in guard_home.root.glob("agentguard.db-*"):
        file.unlink()
    guard_home.database.write_bytes(b"no database" * 1000)
    assert verify(guard_home) == 2
    said = capsys.readouterr().err
    assert "not a database" in said
    assert len(said.splitlines()) == 1


def test_no_record_is_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--home", str(tmp_path / "nothing")]) == 0
    assert capsys.readouterr().out == "✓ whole: 0 sessions, 0 events checked; nothing was changed.\n"
    assert not (tmp_path / "nothing").exists()
