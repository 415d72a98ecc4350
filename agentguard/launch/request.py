"""What the user asked `run` for."""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from agentguard.errors import CommandNotExecutableError, CommandNotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """One `agentguard run`."""

    home: Path
    program: str
    """Absolute path of the executable."""
    argv: tuple[str, ...]
    environ: dict[str, str]
    cwd: Path
    session: str
    """Session uid."""
    allow_privileged: bool = False
    """Without the seccomp filter, under which no program can gain privilege (sudo, su)."""
    capture: bool = False
    """Take connections that go round the proxy to it."""
    quiet: bool = False
    color: bool = False
    terminal: bool = False
    """Whether what is said at the end is said on a terminal."""
    notify: tuple[str, ...] | None = None
    """Channels to notify by, by name; None: as `notify.yaml` says."""
    dashboard: str = ""
    """tmux's id of the pane in which the dashboard was opened; "" when there is none."""
    session_descriptor: int | None = None
    """Where to write the session uid, for scripts."""
    demo: bool = False
    """The credentials are made up, and every host is played on loopback: the inventory leaves them out."""
    redirects: dict[str, tuple[str, int]]
    """Host → loopback address and port: the demo's and the tests' stand-ins for real hosts."""
    upstream_ca: str | None = None
    """A further CA file to trust upstream."""


def find_program(name: str, path: str | None) -> str:
    """As a shell would find it.

    Raises:
        CommandNotFoundError, CommandNotExecutableError
    """
    found = shutil.which(name, path=path)
    if found:
        return os.path.abspath(found)  # noqa: PTH100 - a link must keep its name: busybox and version managers read argv[0]
    if not name:
        raise CommandNotFoundError("the command's name is empty; try `agentguard run -- claude`")
    if "/" in name:
        _why_not(name)
    raise CommandNotFoundError(f"{name} was not found; check the name, or give the full path of the program")


def _why_not(path: str) -> None:
    """Raises CommandNotExecutableError for what is there and cannot be run, as a shell's status 126 has it."""
    try:
        mode = os.stat(path).st_mode
    except PermissionError:
        raise CommandNotExecutableError(f"{path} lies in a folder that you may not enter") from None
    except (OSError, ValueError):
        return
    if stat.S_ISDIR(mode):
        raise CommandNotExecutableError(f"{path} is a folder, not a program")
    raise CommandNotExecutableError(f"{path} is not an executable program; check its permissions (chmod +x)")
