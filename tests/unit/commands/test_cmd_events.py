"""`agentguard events`, through the command line."""

from __future__ import annotations

import csv
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from record_builders import HOSTILE, leaked, make_home, read, record_all_sorts, record_walk, send, session

from agentguard.cli import main
from agentguard.record.writer import Writer


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(make_home(tmp_path))
    writer.start()
    yield writer
    writer.close()


@pytest.fixture
def events(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def call(*options: str) -> list[str]:
        assert main(["events", "--home", str(tmp_path / "home"), *options]) == 0
        return capsys.readouterr().out.splitlines()

    return call


def test_a_pipe_gets_json_lines_in_the_words_of_the_design(events, writer: Writer) -> None:
    record_walk(writer)
    writer.flush(5)
    found = [json.loads(line) for line in events()]
    assert [one["seq"] for one in found] == [1, 2, 3]
    assert [(one["kind"], one["activity"]) for one in found] == [("file", "read"), ("http", "send"), ("gap", "gap")]
    assert found[1]["flow"] == {"read": "s-one-e1", "seconds": 4.769, "fingerprint": "7f3a91c2" * 4}
    assert found[1]["process"]["ancestors"][0] == {"pid": 48311, "name": "bash"}
    assert found[1]["matches"][0]["encoding"] == ["base64"]


def test_formats_hold_the_same_events(events, writer: Writer) -> None:
    record_all_sorts(writer)
    lines = [json.loads(line) for line in events("--format", "jsonl")]
    assert json.loads("\n".join(events("--format", "json"))) == lines
    rows = list(csv.DictReader(events("--format", "csv")))
    assert [row["uid"] for row in rows] == [one["uid"] for one in lines]
    assert rows[5]["names"] == "OPENAI_API_KEY"
    assert len(events("--format", "table")) == 1 + len(lines)


def test_an_empty_record_is_no_error(events) -> None:
    assert events() == []
    assert events("--format", "json") == ["[]"]
    assert len(events("--format", "csv")) == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        (["--kind", "http"], [6, 7, 8]),
        (["--kind", "gap", "--kind", "command"], [4, 9, 10]),
        (["--min-severity", "critical"], [6, 8]),
        (["--search", "paste.example curl"], [6]),
        (["--filter", "severity>=critical -host:nowhere"], [6, 8]),
        (["--filter", "session:last is:finding paste.example", "--kind", "http"], [6]),
        (["--limit", "2"], [9, 10]),
        (["--limit", "2", "--kind", "file"], [2, 3]),
        (["--limit", "0"], []),
        (["--session", "s-a"], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        (["--session", "last", "--limit", "1"], [10]),
    ],
)
def test_options_narrow(events, writer: Writer, options: list[str], expected: list[int]) -> None:
    record_all_sorts(writer)
    assert [json.loads(line)["seq"] for line in events(*options)] == expected


def test_more_than_a_page_comes_whole_and_in_order(events, writer: Writer) -> None:
    writer.begin_session(session())
    for number in range(1, 1203):
        writer.append(*read(number))
    writer.flush(20)
    assert [json.loads(line)["seq"] for line in events()] == list(range(1, 1203))


@pytest.mark.parametrize("chosen", ["table", "jsonl", "json", "csv"])
def test_hostile_names_are_shown_harmlessly(events, writer: Writer, chosen: str) -> None:
    record_all_sorts(writer, name=HOSTILE)
    lines = events("--format", chosen)
    assert not any(char in line for line in lines for char in "\x1b\u202e\u200b")
    if chosen in ("table", "csv"):
        assert len(lines) == 11
        assert any("\\x1b[31m" in line for line in lines)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--session", "nothing"], "no session 'nothing'"),
        (["--follow", "--format", "json"], "use --format jsonl"),
        (["--limit", "-1"], "--limit takes 0 or more"),
        (["--filter", "kind:file severity>=loud"], "at character 21: no severity"),
        (["--filter", "session:last", "--session", "last"], "named twice"),
    ],
)
def test_what_cannot_be_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert main(["events", "--home", str(tmp_path / "home"), *options]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err
    assert len(said.err.splitlines()) == 1


class Follower:
    """A real `agentguard events --follow` in a process of its own."""

    def __init__(self, tmp_path: Path, *options: str) -> None:
        command = [sys.executable, "-m", "agentguard", "events", "--home", str(tmp_path / "home"), "--follow", *options]
        root = Path(__file__).resolve().parents[3]
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "PYTHONPATH": str(root)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)

    def line(self, seconds: float = 60) -> dict[str, object]:
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], seconds)[0], "no line came"
        found: dict[str, object] = json.loads(self.process.stdout.readline())
        return found

    def end(self) -> int:
        self.process.kill()
        return self.process.wait(10)


def test_follow_prints_what_is_there_and_then_each_new_event_at_once(tmp_path: Path, writer: Writer) -> None:
    writer.begin_session(session())
    writer.append(*read(1))
    writer.flush(5)
    follower = Follower(tmp_path, "--session", "last")
    try:
        assert follower.line()["seq"] == 1
        waits = []
        for number in range(2, 8):
            began = time.monotonic()
            writer.append(*read(number))
            assert follower.line()["seq"] == number
            waits.append(time.monotonic() - began)
        # The median: the machine may be busy with something else for one of them.
        assert sorted(waits)[len(waits) // 2] < 0.25
        writer.append(*send(8, of="s-one-e1"))
        writer.end_session(leaked(session()))
        assert follower.line()["seq"] == 8
        assert follower.process.wait(20) == 0
    finally:
        follower.end()


def test_follow_waits_for_a_database_and_ends_with_its_reader(tmp_path: Path) -> None:
    follower = Follower(tmp_path, "--kind", "gap")
    writer = Writer(make_home(tmp_path))
    writer.start()
    try:
        record_walk(writer)
        assert follower.line()["seq"] == 3
        assert follower.process.stdout is not None
        follower.process.stdout.close()
        assert follower.process.wait(20) == 0
        assert follower.process.stderr is not None
        assert follower.process.stderr.read() == b""
    finally:
        follower.end()
        writer.close()
