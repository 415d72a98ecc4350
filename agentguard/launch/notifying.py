"""Notifications of one session: fed with what has just been recorded, on a thread of its own, delivered by a process of
its own. Neither is started before there is something to tell.

The session never waits for it. What it is given is put into a queue that is limited; what does not fit is counted.
"""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from agentguard.config import Home
from agentguard.launch.log import log
from agentguard.launch.notifier import start_notifier
from agentguard.model.finding import Finding
from agentguard.model.identity import new_uid
from agentguard.model.verdict import Verdict
from agentguard.show.notify.alarm import Alarm, alarm_of
from agentguard.show.notify.channels.desktop import usable
from agentguard.show.notify.gather import Digest, Gatherer, TokenBucket
from agentguard.show.notify.settings import Settings
from agentguard.show.notify.told import ToldFile
from agentguard.show.notify.wire import Start, encode
from agentguard.show.notify.words import Notification, notification

QUEUE_LIMIT = 1000
CLOSE_SECONDS = 1.0
_SEND_SECONDS = 1


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
        self._channels = usable(setup.settings.outgoing, os.environ)
        self._queue: queue.Queue[Alarm | None] = queue.Queue(QUEUE_LIMIT)
        self._lost = 0
        self._thread: threading.Thread | None = None
        self._child: _Child | None = None
        self._starting = threading.Lock()
        self._closed = False
        self.gravest: Alarm | None = None
        """Of the session so far."""

    @property
    def pid(self) -> int:
        """Of the process that delivers; 0 while there is none. One that is just being started is waited for."""
        with self._starting:
            return self._child.pid if self._child else 0

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
        if not self._channels and self._setup.ring is None:
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
        settings = self._setup.settings
        told = ToldFile(self._setup.home.notified, settings.repeat_seconds)
        gatherer = Gatherer(TokenBucket(1, settings.every_seconds), told, time.monotonic)
        lost = 0
        while not self._closed or not self._queue.empty():
            alarm = self._next(gatherer.wait())
            if alarm is not None:
                gatherer.take(alarm)
            gatherer.lost(self._lost - lost)
            lost = self._lost
            self._tell(gatherer.due())
        self._tell(gatherer.rest())
        if self._lost:
            log(f"notify: {self._lost} alarms came too fast to be told one by one; all are on record")
        if self._child is not None:
            self._child.close()

    def _next(self, seconds: float | None) -> Alarm | None:
        try:
            return self._queue.get(timeout=seconds)
        except queue.Empty:
            return None

    def _tell(self, digest: Digest | None) -> None:
        if digest is None:
            return
        try:
            self._say(digest)
        except Exception as error:  # one that cannot be said must not silence all others
            log(f"notify: a notification was lost: {type(error).__name__}")

    def _say(self, digest: Digest) -> None:
        now = time.time_ns()
        setup = self._setup
        note = notification(digest, uid=new_uid(now), time_ns=now, agent_name=setup.agent_name, look=setup.look)
        if setup.ring is not None:
            setup.ring(note)
        if self._channels:
            self._hand_over(note)

    def _hand_over(self, note: Notification) -> None:
        """To the process, which is started when there is none; to another, when it has died."""
        problem = ""
        for _ in range(2):
            try:
                self._started().send(encode(note))
            except OSError as error:
                problem = error.strerror or "the notifier does not answer"
                if self._child is not None:
                    self._child.kill()
                self._child = None
            else:
                return
        log(f"notify: a notification was lost: {problem}")

    def _started(self) -> _Child:
        """Raises OSError when it cannot be started."""
        if self._child is None:
            start = Start(channels=self._channels, told=str(self._setup.home.notified))
            with self._starting:
                self._child = _Child(self._setup.home, start)
        return self._child


class _Child:
    """The process that delivers."""

    def __init__(self, home: Home, start: Start) -> None:
        """Raises OSError when it cannot be started."""
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", _SEND_SECONDS, 0))
        self._socket = ours
        try:
            self._process = start_notifier(stdin=theirs.fileno(), log=home.log, environ=os.environ)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self.pid = self._process.pid
        self.send(encode(start))

    def send(self, line: bytes) -> None:
        """Raises OSError when it does not take it."""
        self._socket.sendall(line)

    def close(self) -> None:
        """It delivers what it has, and ends."""
        self._socket.close()

    def kill(self) -> None:
        """It is of no use."""
        self._socket.close()
        with contextlib.suppress(OSError):
            self._process.kill()
