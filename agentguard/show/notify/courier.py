"""Delivers notifications by several channels at once: a channel that hangs holds up none of the others."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from agentguard.show.notify.deliver import deliver
from agentguard.show.notify.settings import Channel
from agentguard.show.notify.told import Result
from agentguard.show.notify.words import Notification

MOST_WAITING = 16
"""Notifications of one channel that wait; more are dropped, and counted."""


class Courier:
    """Of one session."""

    def __init__(
        self, channels: Sequence[Channel], environ: Mapping[str, str], on_result: Callable[[Result], None]
    ) -> None:
        """`on_result` is called on the channels' threads."""
        self._lines = [_Line(channel, environ, on_result) for channel in channels]

    def send(self, note: Notification) -> None:
        """Returns at once."""
        for line in self._lines:
            line.put(note)

    def finish(self, seconds: float) -> None:
        """Deliver what waits, for `seconds` at most. What is given up is told to `on_result`."""
        deadline = time.monotonic() + seconds
        for line in self._lines:
            line.close()
        for line in self._lines:
            line.join(max(0.0, deadline - time.monotonic()))


class _Line:
    """One channel's thread and what waits for it."""

    def __init__(self, channel: Channel, environ: Mapping[str, str], on_result: Callable[[Result], None]) -> None:
        self._channel = channel
        self._environ = environ
        self._on_result = on_result
        self._queue: queue.Queue[Notification] = queue.Queue(MOST_WAITING)
        self._closing = threading.Event()
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name=f"notify-{channel.name}", daemon=True)
        self._thread.start()

    def put(self, note: Notification) -> None:
        try:
            self._queue.put_nowait(note)
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        self._closing.set()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)
        left = self._queue.qsize() + self._thread.is_alive() + self._dropped
        if left:
            self._tell(f"{left} notifications were given up: the channel was too slow")

    def _run(self) -> None:
        while True:
            try:
                note = self._queue.get(timeout=0.05)
            except queue.Empty:
                if self._closing.is_set():
                    return
                continue
            self._on_result(deliver(self._channel, note, self._environ))

    def _tell(self, text: str) -> None:
        self._on_result(Result(self._channel.name, time.time_ns(), False, text))
