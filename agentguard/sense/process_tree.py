"""Who is who in the session's tree: identities that outlive their processes.

A parent may be gone by the time a child reads a secret. So every process that is seen while it is held is
remembered with its chain of parents; the chain of a known process never changes, whoever adopts it later.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from agentguard.model.process import Ancestor, ProcessSnapshot
from agentguard.sense import procfs

MAX_KNOWN = 65_536
"""Processes remembered; the oldest are forgotten first."""


class Link(NamedTuple):
    """A living parent, as it was when one of its children was seen."""

    pid: int
    parent_pid: int
    start_time: int
    exe: str


class Started(NamedTuple):
    """A process that was seen by somebody else, with the parents that he has not told before: nearest first."""

    pid: int
    parent_pid: int
    start_time: int
    cwd: str
    links: Sequence[Link]


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
        self._refresh_above(known)
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
        self._refresh_above(known)
        return self._become(known, parent_pid, exe, argv, procfs.read_cwd(tid))

    def exec_told(self, started: Started, exe: str, argv: tuple[str, ...]) -> ProcessSnapshot:
        """A process is about to become `exe`, or has already: nothing is read of it any more."""
        for link in reversed(started.links):
            parent = self._identify(link.pid, link, self._told_parent)
            if link.exe:
                parent.exe, parent.fresh = link.exe, True
        known = self._identify(started.pid, started, self._told_parent)
        return self._become(known, started.parent_pid, exe, argv, started.cwd)

    def _become(self, known: _Known, parent_pid: int, exe: str, argv: tuple[str, ...], cwd: str) -> ProcessSnapshot:
        known.exe, known.fresh = exe, False
        return ProcessSnapshot(
            pid=known.pid,
            parent_pid=parent_pid,
            start_time=known.start_time,
            exe=exe,
            cmdline=argv,
            cwd=cwd,
            ancestors=self._chain(known),
        )

    def _see(self, pid: int) -> tuple[_Known, int]:
        stat = procfs.read_stat(pid)
        if stat is None:
            return self._known.get(pid) or _Known(pid, 0, None), 0
        return self._identify(pid, stat, self._read_parent), stat.parent_pid

    def _identify(self, pid: int, seen: procfs.Stat | Link | Started, find: Callable[[int], _Known | None]) -> _Known:
        """`find` gives the parent of one that was not known."""
        known = self._known.get(pid)
        if known is not None and known.start_time == seen.start_time:
            return known
        parent = None
        if pid != self.root_pid and seen.parent_pid not in {0, 1, self._supervisor}:
            parent = find(seen.parent_pid)
        if len(self._known) >= MAX_KNOWN:
            del self._known[next(iter(self._known))]
        known = self._known[pid] = _Known(pid, seen.start_time, parent)
        if parent is not None:
            known.exe = parent.exe  # A fork runs its parent's program until it execs.
        return known

    def _read_parent(self, pid: int) -> _Known | None:
        stat = procfs.read_stat(pid)
        return self._identify(pid, stat, self._read_parent) if stat is not None else None

    def _told_parent(self, pid: int) -> _Known | None:
        """Read only when it is so long ago that we have forgotten it."""
        return self._known.get(pid) or self._read_parent(pid)

    def _chain(self, known: _Known) -> tuple[Ancestor, ...]:
        """Up to and with the root. Empty when the chain does not lead to it: a parent was lost before it was seen."""
        links = []
        for link in self._above(known):
            links.append(Ancestor(link.pid, link.name()))
            if link.pid == self.root_pid:
                return tuple(links)
        return ()

    def _above(self, known: _Known) -> Iterator[_Known]:
        link = known.parent if known.pid != self.root_pid else None
        while link is not None:
            yield link
            link = link.parent if link.pid != self.root_pid else None

    def _refresh(self, known: _Known, pid: int) -> None:
        if not known.fresh:
            exe = procfs.read_exe(pid)
            if exe:
                known.exe, known.fresh = exe, True

    def _refresh_above(self, known: _Known) -> None:
        """An ancestor's program is read while it lives; a reused pid has another start time."""
        for link in self._above(known):
            if link.fresh:
                continue
            stat = procfs.read_stat(link.pid)
            if stat is not None and stat.start_time == link.start_time:
                self._refresh(link, link.pid)
