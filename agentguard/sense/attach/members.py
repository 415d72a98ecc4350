"""Who belongs to the watched tree, parents that are gone included.

Filled by what the kernel tells (`connector`) or by looking (`tree_watch`). A member stays one when its parent ends:
that is what a process that outlives its parents counts on.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from agentguard.model.process import Ancestor, ProcessSnapshot
from agentguard.sense import procfs

_REMEMBERED_NS = 10_000_000_000
"""How long an ended process may still be named as the opener of a file."""
_PRUNE_ABOVE = 512


@dataclass(slots=True, eq=False)
class Member:
    """One process of the tree."""

    pid: int
    start_time: int
    """Clock ticks since boot; 0 when it had gone before it could be read."""
    parent: Member | None
    since_ns: int
    """When it became what it is: its fork, or its last exec."""
    exe: str = ""
    cmdline: tuple[str, ...] = ()
    cwd: str = ""
    ended_ns: int = 0
    """0 while it lives."""
    started_program: bool = False
    """Its command line is its own; otherwise it runs what its parent ran."""

    def name(self) -> str:
        return self.exe.removesuffix(" (deleted)").rpartition("/")[2]


class Members:
    """Thread-safe."""

    def __init__(self, root_pid: int, now_ns: int) -> None:
        self._lock = threading.RLock()
        self._members: dict[int, Member] = {}
        self.root = self._read(self._enter(root_pid, None, now_ns))
        """The agent."""

    def forked(self, parent_pid: int, pid: int, now_ns: int) -> Member | None:
        """None when the parent is none of ours."""
        with self._lock:
            parent = self._living(parent_pid)
            if parent is None:
                return None
            known = self._living(pid)
            if known is not None and known.parent is parent:
                return known  # Found by looking before the kernel's word came.
            member = self._enter(pid, parent, now_ns)
            member.exe, member.cmdline, member.cwd = (
                parent.exe,
                parent.cmdline,
                parent.cwd,
            )  # A fork runs its parent's program until it execs.
            return member

    def found(self, parent_pid: int, pid: int, now_ns: int) -> Member | None:
        """As `forked`, but found by looking: it may have started a program long ago."""
        with self._lock:
            parent = self._living(parent_pid)
            return self._read(self._enter(pid, parent, now_ns)) if parent is not None else None

    def execed(self, pid: int, now_ns: int) -> Member | None:
        """The member, with its new program as far as it could still be read; None when it is none of ours."""
        with self._lock:
            member = self._living(pid)
            if member is None:
                return None
            member.since_ns = now_ns
            return self._read(member)

    def changed(self, now_ns: int) -> list[Member]:
        """Members that run another program than when they were last read."""
        changed = []
        for member in self.living():
            cmdline = procfs.read_cmdline(member.pid)
            if cmdline and cmdline != member.cmdline and self.execed(member.pid, now_ns):
                changed.append(member)
        return changed

    def exited(self, pid: int, now_ns: int) -> None:
        with self._lock:
            member = self._living(pid)
            if member is not None:
                member.ended_ns = now_ns
                self._prune(now_ns)

    def admit(self, pid: int, now_ns: int) -> Member | None:
        """The member with this pid; found through its parents when nobody has told of it yet."""
        with self._lock:
            line: list[int] = []
            while pid > 1:
                member = self._same(pid)
                if member is not None:
                    for child in reversed(line):
                        member = self._read(self._enter(child, member, now_ns))
                    return member
                stat = procfs.read_stat(pid)
                if stat is None or pid in line:
                    return None
                line.append(pid)
                pid = stat.parent_pid
            return None

    def living(self) -> list[Member]:
        """Newest first."""
        with self._lock:
            alive = [member for member in self._members.values() if not member.ended_ns]
        return sorted(alive, key=lambda member: -member.since_ns)

    def recent(self, since_ns: int) -> list[Member]:
        """Those that lived at some moment since then, newest first."""
        with self._lock:
            found = [member for member in self._members.values() if not member.ended_ns or member.ended_ns >= since_ns]
        return sorted(found, key=lambda member: -member.since_ns)

    def check(self, now_ns: int) -> None:
        """Notice the ends that nobody told of."""
        with self._lock:
            for member in list(self._members.values()):
                if not member.ended_ns and not _is_alive(member):
                    member.ended_ns = now_ns
            self._prune(now_ns)

    def snapshot(self, member: Member) -> ProcessSnapshot:
        """As the kernel shows it now; what has gone is as it was last seen."""
        alive = _is_alive(member)
        with self._lock:
            if alive:
                member.exe = procfs.read_exe(member.pid) or member.exe
                member.cmdline = procfs.read_cmdline(member.pid) or member.cmdline
                member.cwd = procfs.read_cwd(member.pid) or member.cwd
            return ProcessSnapshot(
                pid=member.pid,
                parent_pid=member.parent.pid if member.parent else 0,
                start_time=member.start_time,
                exe=member.exe,
                cmdline=member.cmdline,
                cwd=member.cwd,
                ancestors=_chain(member),
            )

    def _enter(self, pid: int, parent: Member | None, now_ns: int) -> Member:
        stat = procfs.read_stat(pid)
        member = Member(pid, stat.start_time if stat else 0, parent, now_ns)
        self._members[pid] = member
        return member

    @staticmethod
    def _read(member: Member) -> Member:
        member.started_program = True
        member.exe, member.cmdline = procfs.read_exe(member.pid), procfs.read_cmdline(member.pid)
        member.cwd = procfs.read_cwd(member.pid) or member.cwd
        return member

    def _living(self, pid: int) -> Member | None:
        member = self._members.get(pid)
        return member if member is not None and not member.ended_ns else None

    def _same(self, pid: int) -> Member | None:
        """A pid is used again: with its start time it names one process."""
        member = self._living(pid)
        return member if member is not None and _is_alive(member) else None

    def _prune(self, now_ns: int) -> None:
        if len(self._members) > _PRUNE_ABOVE:
            long_gone = now_ns - _REMEMBERED_NS
            gone = [pid for pid, member in self._members.items() if 0 < member.ended_ns < long_gone]
            for pid in gone:
                del self._members[pid]


def _is_alive(member: Member) -> bool:
    """A zombie has ended: nothing of it opens a file any more."""
    stat = procfs.read_stat(member.pid)
    if stat is None or stat.state in {"Z", "X"}:
        return False
    return member.start_time in {0, stat.start_time}


def _chain(member: Member) -> tuple[Ancestor, ...]:
    links = []
    link = member.parent
    while link is not None:
        links.append(Ancestor(link.pid, link.name()))
        link = link.parent
    return tuple(links)
