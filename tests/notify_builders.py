"""Alarms, notifications and channels for the tests of notifications."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from record_builders import send

from agentguard.model.finding import Finding
from agentguard.model.verdict import Verdict
from agentguard.show.notify.alarm import Alarm, alarm_of
from agentguard.show.notify.gather import Digest, Group
from agentguard.show.notify.settings import Channel, Kind
from agentguard.show.notify.words import Notification, notification


def alarm(number: float = 1, **changes: Any) -> Alarm:
    """Of a leak."""
    found = alarm_of(*send(number, **changes))
    assert found is not None
    return found


def alarm_from(judged: tuple[Finding, Verdict]) -> Alarm:
    found = alarm_of(*judged)
    assert found is not None
    return found


def note(*alarms: Alarm, agent_name: str = "Claude Code", uncounted: int = 0) -> Notification:
    groups = tuple(map(Group, alarms or (alarm(),)))
    return notification(
        Digest(groups, uncounted),
        uid="n-one",
        time_ns=1_769_869_878_000_000_000,
        agent_name=agent_name,
        look="agentguard tui",
    )


def command(argv: Sequence[str | Path], **changes: Any) -> Channel:
    return Channel(name="mine", kind=Kind.COMMAND, argv=tuple(map(str, argv)), **changes)


def python(code: str, *words: str | Path, **changes: Any) -> Channel:
    """A program of the user's, in Python."""
    return command([sys.executable, "-S", "-c", code, *words], **changes)


TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)


def on_terminal(
    argv: Sequence[str | Path], environ: Mapping[str, str], **more: Any
) -> tuple[subprocess.Popen[bytes], int]:
    """Start a program on a pseudo-terminal that is its own; the other end, which the caller closes."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", TAKE_TERMINAL, *map(str, argv)],
        env=dict(environ),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        **more,
    )
    os.close(terminal)
    return process, controller


def program(folder: Path, name: str, script: str) -> dict[str, str]:
    """Put a stand-in program on a PATH of its own, before the machine's. Returns the environment."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!{sys.executable} -S\n{script}")
    path.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": os.environ["HOME"]}
