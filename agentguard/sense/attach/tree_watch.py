"""Follows the watched tree: the kernel tells of each fork, exec and exit; where it does not, we look every 100 ms."""

from __future__ import annotations

import select
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from agentguard.errors import SensorError
from agentguard.model.observation import ExecObservation, GapObservation, GapType
from agentguard.model.process import Confidence
from agentguard.model.session import Coverage, SensorState
from agentguard.sense import procfs
from agentguard.sense.attach.connector import EXEC, EXIT, FORK, Connector, ProcessEvent, was_lost
from agentguard.sense.attach.members import Member, Members
from agentguard.sense.interface import Emit
from agentguard.sense.proof import Proof

NAME = "proc-connector"
_LOOK_SECONDS = 0.1
_CHECK_NS = 500_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeSetup:
    """What it is given."""

    root_pid: int
    emit: Emit
    clock: Callable[[], int]
    """ns since the epoch."""


class TreeWatch:
    """Emits an exec for each program that the tree starts, and knows at any moment who belongs to the tree."""

    def __init__(self, setup: TreeSetup) -> None:
        self._setup = setup
        self._lock = threading.Lock()
        self._connector: Connector | None = None
        self._why_not = ""
        self._events = self._drops = 0
        self._checked_ns = 0
        self._stopping = threading.Event()
        self.proved = Proof(setup.clock)
        self.members = Members(setup.root_pid, setup.clock())
        self._thread = threading.Thread(target=self._run, name="tree-watch", daemon=True)

    def start(self) -> None:
        """Subscribe first and look afterwards: no process falls between. The thread's own start is the proof."""
        try:
            self._connector = Connector()
        except SensorError as error:
            self._why_not = str(error)
        self._look()
        self._thread.start()

    def stop(self) -> None:
        if not self._stopping.is_set():
            self._stopping.set()
            self._thread.join(1)
            if self._connector is not None:
                self._connector.close()

    def coverage(self) -> Coverage:
        if self._connector is None:
            reason = f"{self._why_not}; the tree is looked at every {_LOOK_SECONDS:g} s, and misses what lives shorter"
            return Coverage(sensor=NAME, state=SensorState.UNAVAILABLE, reason=reason)
        running = self._thread.is_alive() and not self._stopping.is_set()
        return Coverage(
            sensor=NAME,
            state=SensorState.RUNNING if running else SensorState.STOPPED,
            proved=self.proved.is_set(),
            proved_ns=self.proved.time_ns,
            events=self._events,
            drops=self._drops,
            reason="programs are noticed, not held: the command line of a very short one is missed",
        )

    def catch_up(self) -> None:
        """Everything that happened until now is known when this returns. The kernel tells of a fork before the child
        runs, and of an exec before the new program does."""
        if self._connector is None:
            self._look()
            return
        with self._lock:
            if not self._stopping.is_set():
                self._take(self._connector)

    def has_ended(self) -> bool:
        """Whether nothing of the tree runs any more."""
        self.catch_up()
        self.members.check(self._setup.clock())
        return not self.members.living()

    def _run(self) -> None:
        if self._connector is None:
            while not self._stopping.wait(_LOOK_SECONDS):
                self._look()
            return
        poll = select.poll()
        poll.register(self._connector, select.POLLIN)
        while not self._stopping.is_set():
            poll.poll(_LOOK_SECONDS * 1000)
            self.catch_up()
            if self._setup.clock() - self._checked_ns > _CHECK_NS:
                self._checked_ns = self._setup.clock()
                self.members.check(self._checked_ns)

    # --- told by the kernel -----------------------------------------------------------------------

    def _take(self, connector: Connector) -> None:
        try:
            events = connector.read()
        except OSError as error:
            if was_lost(error):
                self._lost()
            return
        if connector.heard_ourselves:
            self.proved.set()
        for event in events:
            self._apply(event)

    def _apply(self, event: ProcessEvent) -> None:
        now = self._setup.clock()
        if event.what == FORK:
            self.members.forked(event.parent_pid, event.pid, now)
        elif event.what == EXIT:
            self.members.exited(event.pid, now)
        elif event.what == EXEC:
            member = self.members.execed(event.pid, now)
            if member is not None:
                self._tell(member)

    def _lost(self) -> None:
        self._drops += 1
        self._setup.emit(
            GapObservation(
                time_ns=self._setup.clock(),
                sensor=NAME,
                type=GapType.EVENTS_LOST,
                detail="the kernel dropped process events: programs started in that moment are not known",
            )
        )
        self._look()

    def _tell(self, member: Member) -> None:
        if not member.cmdline:
            self._drops += 1  # It had gone before its command line could be read.
            return
        self._events += 1
        self._setup.emit(
            ExecObservation(
                time_ns=member.since_ns,
                sensor=NAME,
                process=self.members.snapshot(member),
                confidence=Confidence.EXACT_PID,
            )
        )

    # --- found by looking -------------------------------------------------------------------------

    def _look(self) -> None:
        """From every living member downwards: one that lost its parents still has its own children below it."""
        now = self._setup.clock()
        self.members.check(now)
        for member in self.members.changed(now):
            self._tell(member)
        waiting = self.members.living()
        known = {member.pid for member in waiting}
        while waiting:
            parent = waiting.pop()
            for pid in _children(parent.pid):
                if pid in known:
                    continue
                known.add(pid)
                child = self.members.found(parent.pid, pid, now)
                if child is not None:
                    self._tell(child)
                    waiting.append(child)


def _children(pid: int) -> list[int]:
    if sys.platform == "linux":
        return procfs.children(pid)
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.Error:
        return []
