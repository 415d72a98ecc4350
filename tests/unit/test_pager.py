"""Long text on a terminal goes through a pager, and nowhere else; colours go where they are wanted."""

from __future__ import annotations

import io
import os
import pty
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from record_builders import record_all_sorts

from agentguard.config import open_home
from agentguard.pager import command_of, is_paged
from agentguard.record.reader import Reader
from agentguard.record.writer import Writer
from agentguard.session_name import named_session
from agentguard.terminal import takes_color

REPOSITORY = Path(__file__).resolve().parents[2]
Shown = Callable[..., tuple[int, str]]


@pytest.fixture
def shown(home: Path, tmp_path: Path) -> Shown:
    """Runs AgentGuard at a terminal of ours, with a session in its home; gives its status and all it wrote."""
    writer = Writer(open_home(home / ".agentguard"))
    writer.start()
    record_all_sorts(writer)
    writer.close()

    def call(*words: str, **environ: str) -> tuple[int, str]:
        pid, terminal = pty.fork()
        if not pid:
            variables = {**os.environ, "PYTHONPATH": str(REPOSITORY), "TERM": "xterm", "COLUMNS": "100", **environ}
            os.execve(sys.executable, [sys.executable, "-m", "agentguard", *words], variables)
        out = b""
        while True:
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # Linux's way of saying that nobody has the terminal open any more
                break
            if not piece:
                break
            out += piece
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), out.decode(errors="replace")

    return call


def recording(folder: Path) -> tuple[str, Path]:
    """A pager that keeps what it is given."""
    return f"sh -c 'cat > {folder}/paged'", folder / "paged"


def test_a_terminal_gets_a_pager_with_text_for_a_terminal(shown: Shown, tmp_path: Path) -> None:
    pager, paged = recording(tmp_path)
    assert shown("events", PAGER=pager) == (0, "")
    text = paged.read_text()
    assert "\x1b[" in text
    assert not text.startswith("{")
    assert shown("events", "--no-pager", PAGER="false")[1].replace("\r\n", "\n") == text


def test_help_is_paged_and_the_agents_own_words_are_not_ours(shown: Shown, tmp_path: Path) -> None:
    pager, paged = recording(tmp_path)
    assert shown("scan", "--help", PAGER=pager) == (0, "")
    assert paged.read_text().startswith("usage: agentguard scan")
    assert not is_paged(["run", "--", "git", "--help"])
    assert is_paged(["run", "--help"])
    assert not is_paged(["events", "-f"])
    assert not is_paged(["status"])


@pytest.mark.parametrize("environ", [{"PAGER": ""}, {"PAGER": "cat"}, {"TERM": "dumb"}, {"PAGER": "no-such-pager"}])
def test_no_pager_where_none_is_wanted(environ: dict[str, str]) -> None:
    assert command_of(environ) == []


def test_an_unclosed_quote_is_no_pager() -> None:
    assert command_of({"PAGER": "less '"}) == []


def test_a_pager_that_is_left_early_is_no_error(shown: Shown) -> None:
    status, out = shown("report", "--last", "--format", "json", PAGER="head -c 1")
    assert (status, out) == (0, "{")


def test_an_error_is_told_after_the_pager(shown: Shown) -> None:
    status, out = shown("report", "nothing-like-it", PAGER="cat -")
    assert status == 2
    assert "no session 'nothing-like-it'; `agentguard sessions` lists them" in out


def test_less_ends_by_itself_when_all_fits(shown: Shown) -> None:
    if shutil.which("less") is None:
        pytest.skip("less is not installed here")
    status, out = shown("sessions", PAGER="less")
    assert status == 0
    assert "LEAKED" in out


def test_a_session_that_is_mistyped_is_guessed(home: Path, shown: Shown) -> None:
    reader = Reader(home / ".agentguard/agentguard.db")
    assert named_session(reader, "s-a").uid == "s-all"
    with pytest.raises(Exception, match="did you mean s-all"):
        named_session(reader, "s-alk")
    with pytest.raises(Exception, match="did you mean last"):
        named_session(reader, "lsat")
    with pytest.raises(Exception, match="no session 'zzzz'; `agentguard sessions`"):
        named_session(reader, "zzzz")
    reader.close()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "terminal", "pipe"),
    [
        ({}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_colours_go_where_they_are_wanted(environ: dict[str, str], terminal: bool, pipe: bool) -> None:
    assert takes_color(_Terminal(), environ) is terminal
    assert takes_color(io.StringIO(), environ) is pipe
