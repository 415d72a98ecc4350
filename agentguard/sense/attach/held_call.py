"""What a process that is held in an open is about to do with the file, as /proc/TID/syscall tells it."""

from __future__ import annotations

import os
import time

from agentguard.sense import procfs
from agentguard.sense.seccomp.abi import machine

_FLAGS_AT = {"open": 1, "openat": 2}
"""Which argument holds the flags. openat2's lie in memory, and are not asked for."""
_PAUSES_SECONDS = (0.0002,) * 10 + (0.002,) * 15
"""We may be told before the opener has gone to sleep: at once as a rule, later on a busy machine."""


def opens_for_writing_only(pid: int) -> bool:
    """False too when it cannot be told: several threads that differ, a 32-bit caller, no right to look."""
    here = machine()
    if here is None:
        return False
    flags_at = {here.numbers[name]: at for name, at in _FLAGS_AT.items() if name in here.numbers}
    for pause in _PAUSES_SECONDS:
        calls = [_call(pid, tid) for tid in procfs.threads(pid)]
        modes = {_mode(call, flags_at) for call in calls if len(call) > 1} - {None}
        if modes or not any(call == ["running"] for call in calls):
            return modes == {os.O_WRONLY}
        time.sleep(pause)
    return False


def _call(pid: int, tid: int) -> list[str]:
    """The number and the arguments of the call that a thread sleeps in; `running` while it does not; [] if hidden."""
    try:
        with open(f"/proc/{pid}/task/{tid}/syscall", encoding="ascii") as file:
            return file.read(256).split()
    except OSError:
        return []


def _mode(call: list[str], flags_at: dict[int, int]) -> int | None:
    """O_RDONLY, O_WRONLY or O_RDWR of an open; None of anything else."""
    number = int(call[0])
    return int(call[1 + flags_at[number]], 16) & os.O_ACCMODE if number in flags_at else None
