"""`agentguard report`, through the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from record_builders import SECOND, START, make_home, record_all_sorts, record_walk

from agentguard.cli import main
from agentguard.record.writer import Writer


@pytest.fixture
def report(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Two sessions, the newer one running."""
    writer = Writer(make_home(tmp_path))
    writer.start()
    record_all_sorts(writer)
    record_walk(writer, "s-new", START + 100 * SECOND)
    writer.close()

    def call(*options: str, status: int = 0) -> str:
        assert main(["report", "--home", str(tmp_path / "home"), *options]) == status
        said = capfd.readouterr()
        return said.err if status else said.out

    return call


def test_html_goes_to_the_home_folder_and_its_path_is_printed(tmp_path: Path, report) -> None:
    path = Path(report().strip())
    assert path == tmp_path / "home" / "reports" / "s-new.html"
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert path.stat().st_mode & 0o777 == 0o600
    assert Path(report("--session", "s-all").strip()).name == "s-all.html"
    assert report("--last").strip() == str(path)


def test_markdown_and_json_go_to_stdout(report) -> None:
    assert report("--format", "md", "--session", "s-all").startswith("# ▲ LEAKED: curl under AgentGuard\n")
    assert json.loads(report("--format", "json"))["session"]["uid"] == "s-new"
    assert report("--format", "html", "-o", "-").startswith("<!doctype html>")


@pytest.mark.parametrize(("name", "start"), [("r.html", "<!doc"), ("r.md", "# "), ("r.json", "{"), ("r", "<!doc")])
def test_a_file_gets_the_format_of_its_ending(tmp_path: Path, report, name: str, start: str) -> None:
    assert report("-o", str(tmp_path / name)) == ""
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)
    assert report("-o", str(tmp_path / name), "--format", "md") == ""
    assert (tmp_path / name).read_text(encoding="utf-8").startswith("# ")


def test_what_cannot_be_is_one_line(tmp_path: Path, report) -> None:
    assert report("--session", "zzz", status=2) == "agentguard: no session 'zzz'; `agentguard sessions` lists them\n"
    said = report("-o", str(tmp_path / "no" / "folder.html"), status=2)
    assert said == f"agentguard: No such file or directory: {tmp_path / 'no' / 'folder.html'}\n"
    said = report("-o", str(tmp_path), status=2)
    assert said == f"agentguard: Is a directory: {tmp_path}\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]


def test_a_pipe_or_a_device_is_written_to_and_not_replaced(tmp_path: Path, report) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        report("-o", str(pipe), "--format", "md")
        assert os.read(reading, 2) == b"# "
    finally:
        os.close(reading)
    assert pipe.is_fifo()


def test_no_session_yet_says_how_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--home", str(tmp_path / "none")]) == 2
    assert "agentguard run -- claude" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
