"""Which process opened a connection to the proxy, and whether it may use it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from agentguard.model.process import Confidence, ProcessSnapshot
from agentguard.sense.proxy.proctree import SessionTree, all_pids
from agentguard.sense.proxy.sockdiag import Address, SocketTable

_RECENT = 16
_TRIES = 3
"""A walk through a tree in which a parent has just died can miss its children."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who is at the other end."""

    process: ProcessSnapshot | None
    confidence: Confidence
    refused: str = ""
    """Why the connection is not taken, in words; "" when it is."""


class Identifier(Protocol):
    """Who may connect, and who does."""

    def identify(self, client: Address, proxy: Address, /) -> Peer: ...
    def remember(self) -> None: ...
    def is_empty(self) -> bool: ...
    def close(self) -> None: ...


class Peers:
    """Linux. Asks while the client waits for our first answer: its process cannot have finished in the ordinary way."""

    def __init__(self, tree: SessionTree, uid: int) -> None:
        self._tree = tree
        self._uid = uid
        self._sockets = SocketTable()
        self._recent: list[int] = []

    def identify(self, client: Address, proxy: Address) -> Peer:
        """The process that holds the client's end of the connection from `client` to `proxy`."""
        owner = self._sockets.owner(client, proxy)
        if owner is None:
            return _refuse(None, "its process had already closed the connection")
        if owner.uid != self._uid:
            return _refuse(None, f"it belongs to another user (uid {owner.uid})")
        pid, unreadable = self._find(owner.inode)
        if pid is not None:
            return Peer(process=self._tree.snapshot(pid), confidence=Confidence.EXACT_HELD)
        return self._judge_stranger(owner.inode, unreadable)

    def remember(self) -> None:
        """Look at the session's processes, so that they are still known when a parent of theirs is gone."""
        self._tree.pids()

    def is_empty(self) -> bool:
        """Whether nothing of the session lives any more."""
        return self._tree.is_empty()

    def close(self) -> None:
        self._sockets.close()

    def _find(self, inode: int) -> tuple[int | None, list[int]]:
        """The member that holds the socket; else the members whose descriptors we may not read."""
        pid, _ = holder(inode, self._recent)
        unreadable: list[int] = []
        for _ in range(_TRIES):
            if pid is not None:
                break
            pid, unreadable = holder(inode, self._tree.pids())
        if pid is not None and self._tree.contains(pid):
            self._remember(pid)
            return pid, []
        return None, unreadable

    def _judge_stranger(self, inode: int, unreadable: Sequence[int]) -> Peer:
        """Nobody we can look into in the session holds it: an outsider does, or a member that hides its memory."""
        members = set(self._tree.pids())
        pid, _ = holder(inode, (pid for pid in all_pids() if pid not in members))
        if pid is not None and self._tree.contains(pid):
            return Peer(process=self._tree.snapshot(pid), confidence=Confidence.EXACT_HELD)
        if pid is not None:
            return _refuse(self._tree.snapshot(pid), "it is not part of this session")
        if not unreadable:
            return _refuse(None, "no process of this session holds the connection")
        if len(unreadable) == 1:  # an undumpable program (Codex is one): the only one it can be
            return Peer(process=self._tree.snapshot(unreadable[0]), confidence=Confidence.PROBABLE)
        return Peer(process=None, confidence=Confidence.NONE)

    def _remember(self, pid: int) -> None:
        if pid in self._recent:
            self._recent.remove(pid)
        self._recent.insert(0, pid)
        del self._recent[_RECENT:]


def holder(inode: int, pids: Iterable[int]) -> tuple[int | None, list[int]]:
    """The first process that has the socket open, and those whose descriptors may not be read."""
    wanted = f"socket:[{inode}]"
    unreadable: list[int] = []
    for pid in pids:
        folder = f"/proc/{pid}/fd"
        try:
            names = os.listdir(folder)
        except PermissionError:
            unreadable.append(pid)
            continue
        except OSError:
            continue
        for name in reversed(names):  # the newest descriptor is usually the highest
            try:
                if os.readlink(f"{folder}/{name}") == wanted:
                    return pid, unreadable
            except OSError:
                continue
    return None, unreadable


def _refuse(process: ProcessSnapshot | None, why: str) -> Peer:
    confidence = Confidence.NONE if process is None else Confidence.FD_SEEN
    return Peer(process=process, confidence=confidence, refused=why)
