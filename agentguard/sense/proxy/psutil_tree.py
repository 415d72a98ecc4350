"""The session's processes where there is no /proc (macOS): slower, and only the user's own can be read."""

from __future__ import annotations

import contextlib
import os

import psutil

from agentguard.model.process import Ancestor, Confidence, ProcessSnapshot
from agentguard.sense.proxy.peers import Peer
from agentguard.sense.proxy.sockdiag import Address


class PsutilPeers:
    """As `peers.Peers`."""

    def __init__(self, roots: tuple[int, ...], exclude: tuple[int, ...]) -> None:
        self._roots = roots
        self._exclude = frozenset(exclude)

    def identify(self, client: Address, _proxy: Address) -> Peer:
        """The member that has a connection from `client`."""
        for process in self._members():
            with contextlib.suppress(psutil.Error):
                if any(tuple(one.laddr) == client for one in process.net_connections("tcp")):
                    return Peer(process=self._snapshot(process), confidence=Confidence.EXACT_HELD)
        why = "no process of this session holds the connection"
        return Peer(process=None, confidence=Confidence.NONE, refused=why)

    def remember(self) -> None:
        """Nothing is kept here: macOS has no subreaper, and a look at every process is dear."""

    def is_empty(self) -> bool:
        """Whether nothing of the session lives but our own ancestors."""
        with contextlib.suppress(psutil.Error):
            guards = {parent.pid for parent in psutil.Process(os.getpid()).parents()}
            return all(process.pid in guards for process in self._members())
        return False

    def close(self) -> None:
        """Nothing is held open."""

    def _members(self) -> list[psutil.Process]:
        found: dict[int, psutil.Process] = {}
        for root in self._roots:
            with contextlib.suppress(psutil.Error):
                top = psutil.Process(root)
                found |= {process.pid: process for process in (top, *top.children(recursive=True))}
        return [found[pid] for pid in sorted(found, reverse=True) if pid not in self._exclude]

    def _snapshot(self, process: psutil.Process) -> ProcessSnapshot:
        facts = process.as_dict(["ppid", "exe", "cmdline", "cwd", "create_time"])
        ancestors = []
        with contextlib.suppress(psutil.Error):
            for parent in process.parents():
                if parent.pid in self._roots:
                    break
                ancestors.append(Ancestor(parent.pid, parent.name()))
        return ProcessSnapshot(
            pid=process.pid,
            parent_pid=facts["ppid"] or 0,
            start_time=int((facts["create_time"] or 0) * 100),
            exe=facts["exe"] or "",
            cmdline=tuple(facts["cmdline"] or ()),
            cwd=facts["cwd"] or "",
            ancestors=tuple(ancestors),
        )
