"""What the notifications' thread does: gathers what needs a person, and hands it to the process that delivers.

Loaded when there is first something to tell: most sessions end without it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time

from agentguard.config import Home
from agentguard.launch.log import log
from agentguard.launch.notifier import start_notifier
from agentguard.launch.notifying import NotifySetup
from agentguard.model.identity import new_uid
from agentguard.show.notify.alarm import Alarm
from agentguard.show.notify.channels.desktop import usable
from agentguard.show.notify.gather import Digest, Gatherer, TokenBucket
from agentguard.show.notify.told import ToldFile
from agentguard.show.notify.wire import Start, encode
from agentguard.show.notify.words import Notification, notification

_SEND_SECONDS = 1


class Teller:
    """For one thread, but for `pid`."""

    def __init__(self, setup: NotifySetup) -> None:
        self._setup = setup
        self._channels = usable(setup.settings.outgoing, os.environ)
        told = ToldFile(setup.home.notified, setup.settings.repeat_seconds)
        self._gatherer = Gatherer(TokenBucket(1, setup.settings.every_seconds), told, time.monotonic)
        self._child: _Child | None = None
        self._starting = threading.Lock()

    @property
    def pid(self) -> int:
        """Of the process that delivers; 0 while there is none. One that is just being started is waited for."""
        with self._starting:
            return self._child.pid if self._child else 0

    def wait(self) -> float | None:
        """Seconds until `tell` has something to do; None: nothing waits."""
        return self._gatherer.wait()

    def take(self, alarm: Alarm) -> None:
        """It is told when `tell` or `finish` is called, and it is time."""
        self._gatherer.take(alarm)

    def lost(self, count: int) -> None:
        """That many alarms never came here."""
        self._gatherer.lost(count)

    def tell(self) -> None:
        """What may be told now."""
        self._tell(self._gatherer.due())

    def finish(self) -> None:
        """All that waits; the process delivers what it has, and ends by itself."""
        self._tell(self._gatherer.rest())
        if self._child is not None:
            self._child.close()

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
