"""`agentguard sessions`, through the command line."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from record_builders import HOSTILE, SECOND, START, make_home, record_all_sorts, record_walk

from agentguard.cli import main
from agentguard.model.session_json import session_from_json, session_to_json
from agentguard.record.reader import Reader
from agentguard.record.writer import Writer


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(make_home(tmp_path))
    writer.start()
    yield writer
    writer.close()


@pytest.fixture
def sessions(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def call(*options: str) -> str:
        assert main(["sessions", "--home", str(tmp_path / "home"), *options]) == 0
        return capsys.readouterr().out

    return call


def test_a_pipe_gets_json_in_the_words_of_the_design(sessions, writer: Writer) -> None:
    record_all_sorts(writer)
    record_walk(writer, "s-two", START + 100 * SECOND)
    writer.flush(5)
    running, ended = json.loads(sessions())
    assert (running["uid"], running["end"], running["seal"]) == ("s-two", None, "")
    assert ended["outcome"] == "leaked"
    assert ended["counts"]["reads"] == 3
    assert ended["coverage"][0] == {
        "sensor": "seccomp",
        "state": "running",
        "proved": True,
        "proved_at": "2026-01-31T14:31:18.000120Z",
        "events": 3,
        "drops": 0,
        "reason": "",
    }
    assert [json.loads(line)["uid"] for line in sessions("--format", "jsonl").splitlines()] == ["s-two", "s-all"]
    assert [row["uid"] for row in csv.DictReader(sessions("--format", "csv").splitlines())] == ["s-two", "s-all"]
    assert [one["uid"] for one in json.loads(sessions("--session", "s-a"))] == ["s-all"]
    assert [one["uid"] for one in json.loads(sessions("--limit", "1"))] == ["s-two"]


def test_json_can_be_read_back(tmp_path: Path, writer: Writer) -> None:
    record_all_sorts(writer)
    (found,) = Reader(make_home(tmp_path).database).sessions()
    assert session_from_json(json.loads(json.dumps(session_to_json(found)))) == found


def test_the_table_is_for_people(sessions, writer: Writer) -> None:
    record_all_sorts(writer)
    header, line = sessions("--format", "table").splitlines()
    assert header.split()[:4] == ["SESSION", "START", "AGENT", "OUTCOME"]
    assert line.split()[0] == "s-all"
    assert "▲ LEAKED" in line
    assert "exited after" in line


@pytest.mark.parametrize("chosen", ["table", "json", "jsonl", "csv"])
def test_hostile_names_are_shown_harmlessly(sessions, writer: Writer, chosen: str) -> None:
    record_all_sorts(writer, name=HOSTILE)
    assert not set("\x1b\u202e\u200b") & set(sessions("--format", chosen))


def test_no_session_is_said(sessions) -> None:
    assert sessions("--format", "table") == ""
    assert json.loads(sessions()) == []


def test_an_unknown_session_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sessions", "--home", str(tmp_path / "home"), "--session", "zzz"]) == 2
    assert capsys.readouterr().err == "agentguard: no session 'zzz'; `agentguard sessions` lists them\n"
