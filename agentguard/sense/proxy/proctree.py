"""Which processes are the session: descendants of its roots."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from agentguard.model.process import Ancestor, ProcessSnapshot
from agentguard.sense import procfs

_LONGEST_CHAIN = 64


def all_pids() -> list[int]:
    """Newest first, as far as pids have not wrapped round."""
    return sorted((int(name) for name in os.listdir("/proc") if name.isdigit()), reverse=True)


class SessionTree:
    """Processes once seen in it stay in it, though their parents are gone."""

    def __init__(self, roots: Iterable[int], exclude: Iterable[int]) -> None:
        """
        Args:
            roots: they and their descendants are the session.
            exclude: descendants that are not, nor are theirs.
        """
        self._roots = tuple(roots)
        self._exclude = frozenset(exclude)
        self._members: dict[int, int] = {}
        self._guards = frozenset(_chain(os.getpid()))
        self._has_children_files = Path(f"/proc/self/task/{os.getpid()}/children").exists()

    def pids(self) -> list[int]:
        """Living members, newest first: a tool that has just connected is usually the youngest."""
        found = set(self._walk((*self._roots, *self._living())))
        for pid in found - self._members.keys():
            stat = procfs.read_stat(pid)
            if stat is not None:
                self._members[pid] = stat.start_time
        return sorted(found, reverse=True)

    def contains(self, pid: int) -> bool:
        """By its chain of parents."""
        if pid in self._exclude:
            return False
        anchors = {*self._roots, *self._living()}
        return any(link in anchors for link in _chain(pid))

    def is_empty(self) -> bool:
        """Whether nothing of it lives but the processes that guard it (our own ancestors)."""
        return all(pid in self._guards or _has_ended(pid) for pid in self.pids())

    def snapshot(self, pid: int) -> ProcessSnapshot:
        """Everything about a process that can still be read."""
        stat = procfs.read_stat(pid)
        return ProcessSnapshot(
            pid=pid,
            parent_pid=stat.parent_pid if stat else 0,
            start_time=stat.start_time if stat else 0,
            exe=procfs.read_exe(pid),
            cmdline=procfs.read_cmdline(pid),
            cwd=procfs.read_cwd(pid),
            ancestors=tuple(self._ancestors(pid)),
        )

    def _ancestors(self, pid: int) -> Iterator[Ancestor]:
        for link in list(_chain(pid))[1:]:
            if link in self._roots or link <= 1:
                return
            exe = procfs.read_exe(link).removesuffix(" (deleted)")
            yield Ancestor(link, exe.rpartition("/")[2])

    def _living(self) -> list[int]:
        for pid, start in list(self._members.items()):
            stat = procfs.read_stat(pid)
            if stat is None or stat.start_time != start:
                del self._members[pid]
        return list(self._members)

    def _walk(self, tops: Iterable[int]) -> Iterator[int]:
        table = None if self._has_children_files else _children_table()
        seen: set[int] = set()
        todo = [pid for pid in tops if procfs.read_stat(pid) is not None]
        while todo:
            pid = todo.pop()
            if pid in seen or pid in self._exclude:
                continue
            seen.add(pid)
            yield pid
            todo.extend(procfs.children(pid) if table is None else table.get(pid, ()))


def _has_ended(pid: int) -> bool:
    """Not waited for yet: some init processes take seconds. (A first thread that has ended is no end of the others.)"""
    stat = procfs.read_stat(pid)
    return stat is None or (stat.state in {"Z", "X"} and len(procfs.threads(pid)) <= 1)


def _chain(pid: int) -> Iterator[int]:
    """The process, its parent, and so on."""
    for _ in range(_LONGEST_CHAIN):
        yield pid
        stat = procfs.read_stat(pid)
        if stat is None or stat.parent_pid == 0:
            return
        pid = stat.parent_pid


def _children_table() -> dict[int, list[int]]:
    """For a kernel without `/proc/PID/task/TID/children`."""
    table: dict[int, list[int]] = {}
    for pid in all_pids():
        stat = procfs.read_stat(pid)
        if stat is not None:
            table.setdefault(stat.parent_pid, []).append(pid)
    return table
