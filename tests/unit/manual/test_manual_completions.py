"""Completions, in the shells themselves: what Tab would offer."""

from __future__ import annotations

import os
import pty
import select
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from record_builders import FINGERPRINT, leaked, record_walk, session

from agentguard.cli import main
from agentguard.config import open_home
from agentguard.record.writer import Writer

REPOSITORY = Path(__file__).resolve().parents[3]
CASES = [
    ("agentguard rep", {"report"}),
    ("agentguard --ver", {"--version"}),
    ("agentguard events --fol", {"--follow"}),
    ("agentguard events --format js", {"json", "jsonl"}),
    ("agentguard keys sh", {"show"}),
    ("agentguard keys --home . sh", {"show"}),
    ("agentguard hook install g", {"git"}),
    ("agentguard completions f", {"fish"}),
    ("agentguard report --session s-o", {"s-one"}),
    ("agentguard report l", {"last"}),
    ("agentguard keys show 7", {FINGERPRINT[:12]}),
    ("agentguard scan --output data", {"data file"}),
    ("agentguard run -- sh-of-the-te", {"sh-of-the-test"}),
]


@pytest.fixture
def place(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file, `agentguard` on the PATH, and a session in the home folder."""
    writer = Writer(open_home(home / ".agentguard"))
    writer.start()
    writer.end_session(leaked(record_walk(writer)))
    writer.begin_session(session("t-two"))
    writer.close()
    programs = tmp_path / "programs"
    programs.mkdir()
    program = programs / "agentguard"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{REPOSITORY}" exec "{sys.executable}" -m agentguard "$@"\n')
    (programs / "sh-of-the-test").write_text("#!/bin/sh\n")
    for path in programs.iterdir():
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "data file").touch()
    monkeypatch.chdir(folder)
    return folder


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed here")
    assert main(["completions", shell]) == 0
    return capsys.readouterr().out


def test_bash(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c").write_text(script("bash", capsys))
    asked = "\n".join(f"ask {line}" for line, _ in CASES)
    driver = f"""
source {tmp_path / "c"}
ask() {{
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMPREPLY=()
  _agentguard
  printf '%s|' "${{COMPREPLY[@]}}"
  echo
}}
{asked}
ask agentguard events --format = js
ask agentguard keys ''
"""
    shown = subprocess.run(["bash", "-c", driver], capture_output=True, text=True, check=True).stdout.splitlines()
    offered = [{word for word in line.split("|") if word} for line in shown]
    for (line, wanted), found in zip(CASES, offered, strict=False):
        assert found == wanted or (line.endswith("data") and found == {"data", "file"}), line
    assert offered[-2:] == [{"json", "jsonl"}, {"worklist", "show", "rotated"}]


def test_fish(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.fish").write_text(script("fish", capsys))
    asked = "\n".join(f"complete -C '{line}'; echo =" for line, _ in CASES)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {tmp_path / 'c.fish'}\n{asked}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    offered = [block.strip().splitlines() for block in done.stdout.split("=\n")]
    for (line, wanted), found in zip(CASES, offered, strict=False):
        assert wanted <= {one.split("\t")[0].replace("\\ ", " ") for one in found}, line


@pytest.fixture
def zsh(place: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[int]:
    """A zsh at a terminal of ours, with our completions; Ctrl-X prints the line as it stands."""
    folder = tmp_path / "functions"
    folder.mkdir()
    (folder / "_agentguard").write_text(script("zsh", capsys))
    (home / ".zshrc").write_text(
        f"fpath=({folder} $fpath)\nautoload -Uz compinit; compinit -u -D\nPROMPT='ready> '\n"
        "setopt no_beep no_prompt_cr no_prompt_sp\nshown() { print -r -- \"<<$BUFFER>>\"; BUFFER='' }\n"
        "zle -N shown; bindkey '^X' shown\nzstyle ':completion:*' menu no\n"
    )
    environment = {**os.environ, "TERM": "xterm", "ZDOTDIR": str(home), "COLUMNS": "200"}
    pid, terminal = pty.fork()
    if not pid:
        os.execvpe("zsh", ["zsh", "-i"], environment)
    yield terminal
    os.write(terminal, b"\x15exit\n")
    os.close(terminal)
    os.waitpid(pid, 0)


def until(terminal: int, mark: str) -> str:
    """What the shell writes up to a mark."""
    text, end = "", time.monotonic() + 30
    while mark not in text:
        assert time.monotonic() < end, text
        if select.select([terminal], [], [], 1)[0]:
            text += os.read(terminal, 4096).decode(errors="replace")
    return text


def test_zsh(zsh: int) -> None:
    until(zsh, "ready> ")
    for line, wanted in CASES:
        os.write(zsh, line.encode() + b"\t\x18")
        shown = until(zsh, ">>").rpartition("<<")[2].partition(">>")[0]
        first, last = min(wanted), max(wanted)
        common = first[
            : next((at for at, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), None)
        ]
        common = common.replace(" ", "\\ ")
        assert shown.rstrip().removesuffix("=").endswith(common), f"{line!r} became {shown!r}"
