"""`agentguard` alone: where you stand, in twelve lines at most, and the one thing to do next."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from record_builders import HOSTILE, SECOND, START, leaked, make_home, record_all_sorts, record_walk, session
from schema_check import faults

from agentguard.cli import main
from agentguard.config import Home
from agentguard.model.session import DEMO_AGENT, Coverage, SensorState
from agentguard.model.verdict import Outcome
from agentguard.record.at_rest import mark_rotated
from agentguard.record.reader import Reader
from agentguard.record.standing import standing
from agentguard.record.writer import Writer
from agentguard.show.standing_lines import Situation, next_step, standing_lines
from agentguard.show.table import cells

HOUR = 3600 * SECOND


@pytest.fixture
def folder(tmp_path: Path) -> Home:
    return make_home(tmp_path)


@pytest.fixture
def writer(folder: Home) -> Iterator[Writer]:
    writer = Writer(folder)
    writer.start()
    yield writer
    writer.close()


@pytest.fixture
def said(folder: Home, capsys: pytest.CaptureFixture[str]):
    def call(*options: str) -> str:
        assert main(["status", "--home", str(folder.root), *options]) == 0
        return capsys.readouterr().out

    return call


def now(**changes) -> Situation:
    return Situation(**({"now_ns": START + HOUR, "user_home": "/home/dev"} | changes))


def lines(situation: Situation, room: int = 120) -> list[str]:
    return standing_lines(situation, agent="claude", room=room, color=False)


def test_no_verb_is_the_same_as_status(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    alone = capsys.readouterr().out
    assert main(["status"]) == 0
    assert capsys.readouterr().out == alone
    assert "run -- " in alone
    assert "demo" in alone
    assert not (home / ".agentguard").exists()  # A look makes nothing.


def test_a_running_session_and_the_one_before(said, writer: Writer) -> None:
    record_all_sorts(writer)
    writer.begin_session(session("s-two", start_ns=START + 100 * SECOND))
    writer.update_session(session("s-two", start_ns=START + 100 * SECOND, outcome=Outcome.EXPOSED))
    assert writer.flush(5)
    text = said()
    assert "running  ◆ EXPOSED so far   Claude Code in /home/dev/src/shop" in text
    assert "last     ▲ LEAKED" in text
    assert "gaps     1 moment of the last session" in text
    assert "rotate   " in text
    assert "next     agentguard keys worklist --home" in text
    data = json.loads(said("--format", "json"))
    assert faults(data, "status") == []
    assert [one["uid"] for one in data["running"]] == ["s-two"]
    assert data["last"]["uid"] == "s-all"
    assert data["to_rotate"]["first"]["cause"] == "leaked"
    assert data["next"]["command"].startswith("agentguard keys worklist")


def test_a_guard_that_died_is_not_told_as_running(folder: Home, writer: Writer) -> None:
    record_walk(writer)
    assert writer.flush(5)
    assert [one.guarded for one in standing(folder.database).open] == [True]
    (dead,) = standing(folder.database, is_alive=lambda _pid: False).open
    assert not dead.guarded
    assert any(line.startswith("stopped  ? the guard of Claude Code") for line in lines(now(died=[dead.session])))


def test_what_was_rotated_waits_no_more(folder: Home, said, writer: Writer) -> None:
    ended = leaked(record_walk(writer))
    writer.end_session(ended)
    assert "\nrotate  " in said()
    reader = Reader(folder.database)
    for one in reader.credentials():
        mark_rotated(folder, one.fingerprint, one.last_seen_ns + SECOND)
    reader.close()
    text = said()
    assert "\nrotate  " not in text
    assert "next     agentguard report" in text


def test_one_thing_to_do_the_gravest_first() -> None:
    clean = session(end_ns=START + HOUR // 2, seal="x")
    unknown = replace(clean, outcome=Outcome.UNKNOWN)
    sensor = Coverage(sensor="proxy", state=SensorState.FAILED, reason="it died")
    steps = [
        (now(running=[session(outcome=Outcome.LEAKED)], last=unknown), "agentguard tui"),
        (now(running=[session()], last=unknown), "agentguard tui"),
        (now(died=[session()], last=unknown), "agentguard run -- claude"),
        (now(last=unknown), "agentguard report --last"),
        (now(last=replace(clean, coverage=(sensor,))), "agentguard doctor"),
        (now(last=clean), "agentguard run -- claude"),
        (now(last=clean, home_option=" --home /h"), "agentguard run --home /h -- claude"),
    ]
    assert [next_step(situation, "claude").command for situation, _ in steps] == [wanted for _, wanted in steps]


def test_the_demo_is_told_as_that_and_asks_for_nothing(said, writer: Writer) -> None:
    """Its outcome is a real one, of keys that are none."""
    demo = session(agent=DEMO_AGENT, agent_name="demo-agent")
    writer.begin_session(demo)
    writer.end_session(leaked(demo))
    text = said()
    assert "last     ▲ LEAKED   the demo, with made-up keys, " in text
    assert "next     agentguard run --home" in text
    assert "that was the demo; now guard an agent of your own" in text
    assert json.loads(said("--format", "json"))["last"]["agent"] == DEMO_AGENT


def test_the_demo_hides_nothing_that_is_real() -> None:
    demo = session("s-demo", agent=DEMO_AGENT, outcome=Outcome.LEAKED)
    real = session("s-real", outcome=Outcome.LEAKED)
    sensor = Coverage(sensor="proxy", state=SensorState.FAILED, reason="it died")
    ended = replace(demo, end_ns=START + HOUR // 2, seal="x")
    steps = [
        (now(running=[demo]), "watch it live"),
        (now(running=[real, demo]), "a credential has just been sent to someone it was not meant for"),
        (now(last=replace(ended, coverage=(sensor,))), "a sensor died: what can be watched here, proved"),
    ]
    assert [next_step(situation, "claude").why for situation, _ in steps] == [wanted for _, wanted in steps]


@pytest.mark.parametrize("room", [40, 80, 200])
def test_twelve_lines_and_no_wider_than_the_terminal_whatever_names_there_are(room: int) -> None:
    hostile = session(cwd=f"/src/{HOSTILE}", agent_name=f"{HOSTILE}漢字" * 9, outcome=Outcome.UNKNOWN)
    ended = replace(hostile, end_ns=START + HOUR // 2, outcome_reason=HOSTILE * 9, counts={"gaps_counted": 1})
    sensor = Coverage(sensor="proxy", state=SensorState.FAILED, reason=HOSTILE * 9)
    full = now(
        running=[replace(hostile, in_background=True, coverage=(sensor, sensor))] * 9, died=[hostile] * 2, last=ended
    )
    found = lines(full, room)
    assert 9 <= len(found) <= 12
    assert max(map(cells, found)) <= room
    assert not set("\x1b\u202e\u200b\n") & set("".join(found))


def test_a_damaged_database_is_said(folder: Home, capsys: pytest.CaptureFixture[str]) -> None:
    folder.database.write_text("no database at all, and long enough to be looked at" * 100)
    assert main(["status", "--home", str(folder.root)]) == 2
    assert "not a database" in capsys.readouterr().err


def test_it_answers_at_once(folder: Home, writer: Writer) -> None:
    """Processor time; the best of three. A quarter of a second on a machine of its own; a busy one is given twice."""
    record_all_sorts(writer)

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "agentguard", "status", "--home", str(folder.root)], check=True, capture_output=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.5
