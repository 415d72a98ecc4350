"""What /proc says of a process. Each function answers with "" or None when the process has gone or hides."""

from __future__ import annotations

import os
from dataclasses import dataclass

MAX_CMDLINE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Stat:
    """Of /proc/PID/stat: proc(5)."""

    parent_pid: int
    start_time: int
    """Clock ticks since boot; with the pid it names one process."""
    command: str
    """comm: 15 bytes at most, set by the process itself."""
    state: str = ""
    """One letter: Z for one that has ended and was not waited for."""


def read_stat(pid: int) -> Stat | None:
    """The name may hold spaces and brackets, so the fields are counted from its last bracket."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            line = file.read(4096)
    except OSError:
        return None
    end = line.rfind(b")")
    fields = line[end + 2 :].split()
    if len(fields) < 20:
        return None
    return Stat(
        int(fields[1]), int(fields[19]), line[line.find(b"(") + 1 : end].decode("utf-8", "replace"), chr(fields[0][0])
    )


def thread_group(tid: int) -> int:
    """The pid a thread belongs to; the tid itself when it cannot be read."""
    try:
        with open(f"/proc/{tid}/status", "rb", buffering=0) as file:
            text = file.read(512)
    except OSError:
        return tid
    at = text.find(b"\nTgid:")
    return int(text[at + 6 : text.index(b"\n", at + 1)]) if at >= 0 else tid


def read_exe(pid: int) -> str:
    """Of the link itself: psutil guesses from argv[0] when it is denied, which is not evidence."""
    return _link(f"/proc/{pid}/exe")


def read_cwd(pid: int) -> str:
    return _link(f"/proc/{pid}/cwd")


def read_cmdline(pid: int) -> tuple[str, ...]:
    try:
        with open(f"/proc/{pid}/cmdline", "rb", buffering=0) as file:
            data = file.read(MAX_CMDLINE)
    except OSError:
        return ()
    return tuple(part.decode("utf-8", "surrogateescape") for part in data.removesuffix(b"\0").split(b"\0"))


def threads(pid: int) -> list[int]:
    """Thread ids of a process."""
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def read_wchan(pid: int, tid: int) -> str:
    """The kernel's function in which a thread sleeps; "0" while it runs, or where we may not know."""
    try:
        with open(f"/proc/{pid}/task/{tid}/wchan", "rb", buffering=0) as file:
            return file.read(64).decode("ascii", "replace")
    except OSError:
        return ""


def children(pid: int) -> list[int]:
    """Direct children of every thread of a process."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", "rb", buffering=0) as file:
                found += [int(child) for child in file.read(1 << 16).split()]
    except OSError:
        pass
    return found


def descendants(pid: int) -> list[int]:
    """All of them, parents before children."""
    found: list[int] = []
    waiting = children(pid)
    while waiting:
        found += waiting
        waiting = [grandchild for child in waiting for grandchild in children(child)]
    return found


def _link(path: str) -> str:
    try:
        return os.fsdecode(os.readlink(path))
    except OSError:
        return ""
