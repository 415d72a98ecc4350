"""Notifications of one session: fed with what has just been recorded, on a thread of its own, delivered by a process of
its own. Neither is started before there is something to tell.

The session never waits for it. What it is given is put into a queue that is limited; what does not fit is counted.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentguard.config import Home
from agentguard.launch.log import log
from agentguard.model.finding import Finding
from agentguard.model.verdict import Verdict
from agentguard.show.notify.alarm import Alarm, alarm_of
from agentguard.show.notify.settings import Settings

if TYPE_CHECKING:
    from agentguard.launch.telling import Teller
    from agentguard.show.notify.words import Notification

QUEUE_LIMIT = 1000
CLOSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySetup:
    """What a session's notifications are given."""

    settings: Settings
    home: Home
    agent_name: str
    """For people; redacted."""
    look: str
    """The command that shows more."""
    ring: Callable[[Notification], object] | None = None
    """Tells it on a terminal that is ours while the session runs; None: there is none."""


class Notifying:
    """`offer` from any thread, `close` once."""

    def __init__(self, setup: NotifySetup) -> None:
        self._setup = setup
        self._queue: queue.Queue[Alarm | None] = queue.Queue(QUEUE_LIMIT)
        self._lost = 0
        self._thread: threading.Thread | None = None
        self._teller: Teller | None = None
        self._closed = False
        self.gravest: Alarm | None = None
        """Of the session so far."""

    @property
    def pid(self) -> int:
        """Of the process that delivers; 0 while there is none."""
        return self._teller.pid if self._teller else 0

    def offer(self, recorded: Iterable[tuple[Finding, Verdict]]) -> None:
        """What was committed a moment ago. Returns at once, and never raises."""
        for finding, verdict in recorded:
            try:
                alarm = alarm_of(finding, verdict)
            except Exception:  # the record must not suffer from it, nor be quoted in a traceback
                self._lost += 1
                continue
            if alarm is not None and alarm.need in self._setup.settings.tell:
                self._take(alarm)

    def close(self) -> None:
        """The session is over: tell what waits. Takes CLOSE_SECONDS at most; the process goes on by itself."""
        self._closed = True
        if self._thread is None:
            return
        with contextlib.suppress(queue.Full):  # it looks at `_closed` too
            self._queue.put_nowait(None)
        self._thread.join(CLOSE_SECONDS)

    def _take(self, alarm: Alarm) -> None:
        if self.gravest is None or alarm.need.rank < self.gravest.need.rank:
            self.gravest = alarm
        if not self._setup.settings.outgoing and self._setup.ring is None:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="notify", daemon=True)
            self._thread.start()
        try:
            self._queue.put_nowait(alarm)
        except queue.Full:
            self._lost += 1

    # --- the thread -------------------------------------------------------------------------------

    def _serve(self) -> None:
        from agentguard.launch.telling import Teller  # noqa: PLC0415 - most sessions have nothing to tell

        teller = self._teller = Teller(self._setup)
        lost = 0
        while not self._closed or not self._queue.empty():
            alarm = self._next(teller.wait())
            if alarm is not None:
                teller.take(alarm)
            teller.lost(self._lost - lost)
            lost = self._lost
            teller.tell()
        teller.finish()
        if self._lost:
            log(f"notify: {self._lost} alarms came too fast to be told one by one; all are on record")

    def _next(self, seconds: float | None) -> Alarm | None:
        try:
            return self._queue.get(timeout=seconds)
        except queue.Empty:
            return None
