"""The clipboard and the opener, with programs that stand in for a desktop's."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from agentguard.desktop import copy, open_file

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="pbcopy and open are always there")


COPY = 'while read -r line; do echo "$line"; done'


def program(folder: Path, name: str, script: str) -> dict[str, str]:
    """An environment in which it is the only program."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return {"PATH": str(folder)}


def test_what_is_copied_goes_through_a_pipe(tmp_path: Path) -> None:
    env = program(
        tmp_path, "tmux", f'echo "$@" > {tmp_path}/argv; while read -r line; do echo "$line"; done > {tmp_path}/in'
    )
    assert copy("one\ntwo\n", env | {"TMUX": "x"})
    assert (tmp_path / "argv").read_text() == "load-buffer -w -\n"
    assert (tmp_path / "in").read_text() == "one\ntwo\n"


def test_a_clipboard_that_fails_gives_way_to_the_next(tmp_path: Path) -> None:
    program(tmp_path, "wl-copy", "exit 1")
    env = program(tmp_path, "xsel", "exit 0")
    assert copy("x", env | {"WAYLAND_DISPLAY": "w", "DISPLAY": ":0"})
    assert not copy("x", env | {"WAYLAND_DISPLAY": "w"})
    assert not copy("x", {"PATH": str(tmp_path / "none"), "DISPLAY": ":0"})


def test_a_file_is_opened_where_someone_can_see_it(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    env = program(tmp_path, "xdg-open", f'echo "$1" > {opened}.part; /bin/mv {opened}.part {opened}')
    assert not open_file(Path("/r.html"), env)
    assert not open_file(Path("/r.html"), env | {"DISPLAY": ":0", "SSH_CONNECTION": "1 2 3 4"})
    assert not open_file(Path("/r.html"), {"PATH": "/nowhere", "DISPLAY": ":0"})
    assert open_file(Path("/r.html"), env | {"DISPLAY": ":0"})
    deadline = time.monotonic() + 60
    while not opened.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert opened.read_text() == "/r.html\n"
