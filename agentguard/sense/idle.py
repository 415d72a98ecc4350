"""Work that must not be felt: last at the processor, last at the disk."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
from pathlib import Path

from agentguard.sense.seccomp.libc import libc

_NICEST = 19
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}
_IOPRIO_WHO_PROCESS = 1
_IOPRIO_IDLE = 3 << 13
"""IOPRIO_CLASS_IDLE: only when nobody else has used the disk for a while."""
_AUTOGROUP = Path("/proc/self/autogroup")
"""A process in a session of its own shares the processor by session, not by process: the session must be nice too."""


def run_when_idle() -> None:
    """For this process, from now on, as far as the system can."""
    os.nice(_NICEST)
    with contextlib.suppress(OSError):
        _AUTOGROUP.write_text(str(_NICEST))
    number = _IOPRIO_SET.get(platform.machine())
    if number is not None and platform.system() == "Linux":
        libc.syscall(ctypes.c_long(number), _IOPRIO_WHO_PROCESS, 0, _IOPRIO_IDLE)
