"""Which process writes a session, so that a later one can tell that it has died."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Supervisor:
    """A pid is used again; with its start time it names one process."""

    pid: int
    start_time: int
    """Clock ticks since boot; 0 when unknown."""

    def alive(self, is_alive: Callable[[int], bool]) -> bool:
        """Whether it, and not another process under its pid, still runs."""
        if not is_alive(self.pid):
            return False
        now = start_time_of(self.pid)
        return not (now and self.start_time) or now == self.start_time


def this_process() -> Supervisor:
    return Supervisor(os.getpid(), start_time_of(os.getpid()))


def pid_alive(pid: int) -> bool:
    """Whether any process has this pid."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def start_time_of(pid: int) -> int:
    """Field 22 of /proc/PID/stat; 0 where there is none (a dead process, another OS)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        return int(stat.rpartition(b")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return 0
