"""`agentguard purge`, through the command line."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from record_builders import SECOND, leaked, make_home, record_walk

from agentguard.cli import main
from agentguard.commands import doctor
from agentguard.config import Home
from agentguard.record.reader import Reader
from agentguard.record.writer import Writer

DAY = 86_400 * SECOND
Said = Callable[..., str]


@pytest.fixture
def guard_home(tmp_path: Path) -> Home:
    """A session of 40 days ago, one of today, and one that runs since 50 days."""
    found = make_home(tmp_path)
    writer = Writer(found)
    writer.start()
    now = time.time_ns()
    for uid, days in (("s-old", 40), ("s-new", 0)):
        begun = record_walk(writer, uid, now - days * DAY)
        writer.end_session(replace(leaked(begun), end_ns=now - days * DAY))
    record_walk(writer, "s-open", now - 50 * DAY)
    writer.close()
    return found


@pytest.fixture
def said(guard_home: Home, capsys: pytest.CaptureFixture[str]) -> Said:
    def call(verb: str, *words: str, status: int = 0) -> str:
        assert main([verb, "--home", str(guard_home.root), *words]) == status
        out, err = capsys.readouterr()
        return out + err

    return call


def sessions(home: Home) -> list[str]:
    reader = Reader(home.database)
    found = [one.uid for one in reader.sessions()]
    reader.close()
    return found


def test_it_says_what_goes_asks_and_does_it(guard_home: Home, said: Said) -> None:
    shown = said("purge", "--older-than", "30d", "--dry-run")
    assert "1 session with 3 events from before" in shown
    assert "1 session from before then: not ended" in shown
    assert "The inventory of keys stays." in shown
    assert "nobody can be asked" in said("purge", "--older-than", "30d", status=2)
    assert sorted(sessions(guard_home)) == ["s-new", "s-old", "s-open"]
    assert "✓ 1 session purged" in said("purge", "--older-than", "30d", "--yes")
    assert sorted(sessions(guard_home)) == ["s-new", "s-open"]
    assert "○ 1 session purged, up to 20" in said("verify")
    assert "No session ended before" in said("purge", "--older-than", "4w", "--yes")
    assert "forgotten" in said("purge", "--older-than", "4w", "--yes", "--forget-keys")


@pytest.mark.parametrize("age", ["", "30", "d", "-3d", "3.5d", "30 days", "1m", "99999999999y"])
def test_an_age_that_is_none(said: Said, age: str) -> None:
    assert "--older-than takes an age like 30d" in said("purge", f"--older-than={age}", status=2)


def test_no_database_is_nothing_to_purge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["purge", "--home", str(tmp_path / "none"), "--older-than", "1d"]) == 0
    assert "No session ended before" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()


def test_doctor_tells_how_large_it_is(guard_home: Home) -> None:
    checks = {check.name: check.detail for check in doctor._home(str(guard_home.root))}
    assert "9 events in 3 sessions since 20" in checks["database"]
    assert checks["home"] == str(guard_home.root)
