"""The supervisor's side of the index worker: start it, hear from it. No value of a secret crosses the link.

The worker is a process of its own (`agentguard.index_child`), so that it never holds the interpreter that answers for
the agent's opens; it runs when nobody else wants the processor.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agentguard.model.index import IndexProgress, SecretFind
from agentguard.sense.child_process import ChildProcess
from agentguard.sense.proxy import wire

NAME = "index"
_MODULE = "agentguard.index_child"
_STOP_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexStart:
    """The first message to the worker."""

    workspace: str
    """Real path."""
    excluded: tuple[str, ...]
    """Real paths of folders that are the guard's own."""
    policies: Path
    cache: Path
    since_ns: int
    """When the agent was started."""
    changed_since_ns: int
    """What last changed before is known already; 0: nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexHandler:
    """What is done with what the worker says; called on one thread of the sensor's."""

    on_find: Callable[[SecretFind], None]
    on_change: Callable[[str], object]
    """A file that may be or is in the table has changed."""
    on_delete: Callable[[str], object]


class ContentIndex:
    """One session's worker. A worker that dies leaves the index as it is; `alive` says so."""

    def __init__(self, handler: IndexHandler, log: Path | None) -> None:
        """It does nothing yet. Raises OSError when it cannot be started."""
        self._handler = handler
        self._hidden = threading.Event()
        self._changed = threading.Condition()
        self._asked = self._synced = 0
        self.progress = IndexProgress()
        self.alive = True
        self._stopped = False
        self._child = ChildProcess(_MODULE, log)
        self.pid = self._child.pid
        self._thread = threading.Thread(target=self._listen, name="index", daemon=True)
        self._thread.start()

    def hidden(self, timeout: float) -> bool:
        """Whether nobody may look into it any more; waits `timeout` s at most. Until then it could be taken over."""
        return self._hidden.wait(timeout) and self.alive

    def start(self, start: IndexStart) -> None:
        """Let it work."""
        self._child.send(wire.encode("start", start))

    def sync(self, timeout: float) -> bool:
        """Whether the worker says, within `timeout` s, that it has looked at all that has changed until now."""
        with self._changed:
            self._asked += 1
            number = self._asked
        if not self._child.send(wire.encode("sync", number)):
            return False
        with self._changed:
            return self._changed.wait_for(lambda: self._synced >= number or not self.alive, timeout) and self.alive

    def stop(self) -> None:
        """It keeps nothing, so it need not be asked."""
        if not self._stopped:
            self._stopped = True
            self._child.kill()
            self._thread.join(_STOP_SECONDS)

    def _listen(self) -> None:
        for line in self._child.lines():
            try:
                self._hear(*wire.decode(line))
            except wire.WireError:
                break
        self._child.kill()
        self._child.reap()
        with self._changed:
            self.alive = False
            self._changed.notify_all()
        self._hidden.set()

    def _hear(self, op: str, body: object) -> None:
        if op == "find":
            self._handler.on_find(wire.typed(body, SecretFind))
        elif op == "changed":
            self._handler.on_change(wire.typed(body, str))
        elif op == "deleted":
            self._handler.on_delete(wire.typed(body, str))
        elif op == "hidden":
            self._hidden.set()
        elif op == "progress":
            self.progress = wire.typed(body, IndexProgress)
        elif op == "synced":
            with self._changed:
                self._synced = wire.typed(body, int)
                self._changed.notify_all()
