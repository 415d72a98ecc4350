"""What the supervisor lets go of: it outlives the command that the caller waits for."""

from __future__ import annotations

import os
from pathlib import Path


def leave_terminal(log: Path) -> None:
    """Standard streams to nowhere and the log: a pipe that the caller reads must end with the agent."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def close_inherited(keep: frozenset[int]) -> None:
    """Descriptors that the caller meant for the agent are not ours to hold open."""
    for name in os.listdir("/dev/fd"):
        number = int(name)
        if number > 2 and number not in keep:
            try:
                os.close(number)
            except OSError:
                continue
