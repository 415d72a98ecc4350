"""The command line's edges: wrong arguments, odd standard streams, no home, no working folder. Never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agentguard.cli import main
from agentguard.config import folder_of_user, home_path
from agentguard.errors import ConfigError

REPOSITORY = Path(__file__).resolve().parents[2]


def shell(script: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """A script in which `ag` is AgentGuard, in a clean environment."""
    base = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "HOME": str(cwd), "LANG": "C.UTF-8"}
    function = f'ag() {{ "{sys.executable}" -m agentguard "$@"; }}\n'
    command = ["bash", "-c", function + script]
    return subprocess.run(
        command, cwd=cwd, env={**base, **environ}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bogus"], "there is no verb 'bogus'"),
        (["--bogus"], "there is no option --bogus; see `agentguard --help`"),
        (["-x", "events"], "there is no option -x; see"),
        (["--verison"], "there is no option --verison; did you mean --version?; see"),
        (["--home=/h", "sessions"], "--home belongs after the verb: `agentguard sessions --home ...`"),
        (["events", "--limit", "x"], "invalid int value: 'x'; see `agentguard events --help`"),
        (["policy", "bogus"], "see `agentguard policy --help`"),
        (["run", "--", ""], "the command's name is empty"),
        (["run", "--", "/"], "/ is a folder"),
    ],
)
def test_a_wrong_argument_gets_one_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) in (2, 126, 127)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("agentguard: ")
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("verb", ["--help", "sessions", "events", "verify", "policy check", "report"])
def test_closed_streams_are_no_fault(verb: str, tmp_path: Path) -> None:
    wanted = 2 if verb == "report" else 0
    assert shell(f"ag {verb} <&- >&- 2>&-", tmp_path).returncode == wanted
    done = shell(f"ag {verb} >&-", tmp_path)
    assert done.returncode == wanted
    assert "Traceback" not in done.stderr


def test_the_agent_finds_its_streams_closed_as_they_were(tmp_path: Path) -> None:
    script = "ls /proc/self/fd | sort > {}; exit 7"
    for prefix, name in (("ag run --quiet --", "guarded"), ("", "bare")):
        assert shell(f'{prefix} sh -c "{script.format(name)}" <&- >&- 2>&-', tmp_path).returncode == 7
    assert (tmp_path / "guarded").read_text() == (tmp_path / "bare").read_text()


@pytest.mark.parametrize("verb", ["--help", "policy list"])
def test_output_that_cannot_be_written_is_told_once(verb: str, tmp_path: Path) -> None:
    full = shell(f"ag {verb} > /dev/full", tmp_path)
    assert full.returncode == 2
    assert full.stderr == "agentguard: No space left on device: (no file named)\n"
    gone = shell(f"(sleep 1; ag {verb} 2>&1; echo $? > status) | true; sleep 0.1; cat status", tmp_path)
    assert gone.stdout == "0\n"
    assert gone.stderr == ""


def test_a_deleted_working_folder_is_said(tmp_path: Path) -> None:
    script = (
        "mkdir gone; cd gone; rmdir ../gone; ag policy check; echo $?; ag run -- true; echo $?; ag --home x sessions"
    )
    done = shell(script, tmp_path)
    assert done.stdout.split() == ["2", "2"]
    assert done.stderr.count("agentguard: the working folder no longer exists; change to another\n") == 2
    assert "Traceback" not in done.stderr


def test_an_empty_home_variable_is_none() -> None:
    assert home_path(None, {"HOME": ""}) == home_path(None, {})
    assert home_path(None, {"HOME": "/h"}) == Path("/h/.agentguard")


def test_a_user_whom_nobody_knows_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    with pytest.raises(ConfigError, match="set HOME"):
        folder_of_user({})
    with pytest.raises(ConfigError, match="full path"):
        home_path("~nobody-of-that-name/x", {})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "agentguard"),
        ("-X agentguard=./scripts/agentguard", "./scripts/agentguard -X agentguard=./scripts/agentguard"),
        ("-X 'agentguard=/my tools/agentguard'", "'/my tools/agentguard' -X agentguard=/my tools/agentguard"),
    ],
)
def test_next_steps_say_what_the_user_typed(given: str, said: str, tmp_path: Path) -> None:
    steps = "from agentguard.command_name import command, interpreter_options as o; print(command(), *o())"
    assert shell(f'"{sys.executable}" {given} -c "{steps}"', tmp_path).stdout == f"{said}\n"
