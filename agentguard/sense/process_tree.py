"""Who is who in the session's tree: identities that outlive their processes.

A parent may be gone by the time a child reads a secret. So every process that is seen while it is held is
remembered with its chain of parents; the chain of a known process never changes, whoever adopts it later.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from agentguard.model.process import Ancestor, ProcessSnapshot
from agentguard.sense import procfs

MAX_KNOWN = 65_536
"""Processes remembered; the oldest are forgotten first."""


@dataclass(slots=True)
class _Known:
    pid: int
    start_time: int
    parent: _Known | None
    exe: str = ""
    fresh: bool = field(default=False)
    """False after an exec: `exe` is what was asked for, not yet what the kernel runs."""

    def name(self) -> str:
        return self.exe.removesuffix(" (deleted)").rpartition("/")[2]


class ProcessTree:
    """Of one session. For one thread: the sensor's."""

    def __init__(self, root_pid: int) -> None:
        self.root_pid = root_pid
        self._known: dict[int, _Known] = {}
        self._supervisor = os.getpid()

    def snapshot(self, tid: int) -> ProcessSnapshot:
        """Identify a held thread's process, with its chain as far as the session's root."""
        known, parent_pid = self._see(procfs.thread_group(tid))
        self._refresh(known, tid)
        return ProcessSnapshot(
            pid=known.pid,
            parent_pid=parent_pid,
            start_time=known.start_time,
            exe=known.exe,
            cmdline=procfs.read_cmdline(tid),
            cwd=procfs.read_cwd(tid),
            ancestors=self._chain(known),
        )

    def exec(self, tid: int, exe: str, argv: tuple[str, ...]) -> ProcessSnapshot:
        """A held process is about to become `exe`."""
        known, parent_pid = self._see(procfs.thread_group(tid))
        chain = self._chain(known)
        known.exe, known.fresh = exe, False
        return ProcessSnapshot(
            pid=known.pid,
            parent_pid=parent_pid,
            start_time=known.start_time,
            exe=exe,
            cmdline=argv,
            cwd=procfs.read_cwd(tid),
            ancestors=chain,
        )

    def _see(self, pid: int) -> tuple[_Known, int]:
        stat = procfs.read_stat(pid)
        if stat is None:
            return self._known.get(pid) or _Known(pid, 0, None), 0
        return self._remember(pid, stat), stat.parent_pid

    def _remember(self, pid: int, stat: procfs.Stat) -> _Known:
        known = self._known.get(pid)
        if known is not None and known.start_time == stat.start_time:
            return known
        parent = None
        if pid != self.root_pid and stat.parent_pid not in {0, 1, self._supervisor}:
            parent_stat = procfs.read_stat(stat.parent_pid)
            if parent_stat is not None:
                parent = self._remember(stat.parent_pid, parent_stat)
        if len(self._known) >= MAX_KNOWN:
            del self._known[next(iter(self._known))]
        known = self._known[pid] = _Known(pid, stat.start_time, parent)
        if parent is not None and not known.exe:
            known.exe = parent.exe  # A fork runs its parent's program until it execs.
        return known

    def _refresh(self, known: _Known, pid: int) -> None:
        if not known.fresh:
            exe = procfs.read_exe(pid)
            if exe:
                known.exe, known.fresh = exe, True

    def _chain(self, known: _Known) -> tuple[Ancestor, ...]:
        """Up to and with the root. Empty when the chain does not lead to it: a parent was lost before it was seen."""
        links = []
        link = known.parent if known.pid != self.root_pid else None
        while link is not None:
            self._refresh_living(link)
            links.append(Ancestor(link.pid, link.name()))
            if link.pid == self.root_pid:
                return tuple(links)
            link = link.parent
        return ()

    def _refresh_living(self, known: _Known) -> None:
        """An ancestor's program is read while it lives; a reused pid has another start time."""
        if known.fresh:
            return
        stat = procfs.read_stat(known.pid)
        if stat is not None and stat.start_time == known.start_time:
            self._refresh(known, known.pid)
