"""The desktop around a terminal: its clipboard, and its way to open a file. Neither need be there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

WAIT_SECONDS = 2.0
"""A clipboard that takes longer is none."""


def copy(text: str, environ: Mapping[str, str] | None = None) -> bool:
    """Into the first clipboard there is; False when there is none. The text goes through a pipe, never on a command
    line, which others can read."""
    return any(_fed(command, text) for command in _clipboards(os.environ if environ is None else environ))


def open_file(path: Path, environ: Mapping[str, str] | None = None) -> bool:
    """False where nobody would see it: over SSH, without a desktop, without an opener."""
    env = os.environ if environ is None else environ
    if "SSH_CONNECTION" in env or "SSH_TTY" in env:
        return False
    mac = sys.platform == "darwin"
    if not mac and "DISPLAY" not in env and "WAYLAND_DISPLAY" not in env:
        return False
    opener = shutil.which("open" if mac else "xdg-open", path=env.get("PATH"))
    if opener is None:
        return False
    quiet = subprocess.DEVNULL
    try:
        subprocess.Popen([opener, str(path)], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    except OSError:
        return False
    return True


def _clipboards(env: Mapping[str, str]) -> Iterator[list[str]]:
    """Commands that read what to copy. tmux hands it on to the terminal it runs in."""
    wanted = [
        ("TMUX", ["tmux", "load-buffer", "-w", "-"]),
        ("WAYLAND_DISPLAY", ["wl-copy"]),
        ("DISPLAY", ["xclip", "-selection", "clipboard"]),
        ("DISPLAY", ["xsel", "--clipboard", "--input"]),
    ]
    if sys.platform == "darwin":
        yield ["pbcopy"]
    for variable, command in wanted:
        program = shutil.which(command[0], path=env.get("PATH"))
        if variable in env and program is not None:
            yield [program, *command[1:]]


def _fed(command: list[str], text: str) -> bool:
    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(
            command,
            input=text.encode("utf-8", "replace"),
            stdout=quiet,
            stderr=quiet,
            timeout=WAIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
