"""Delivers notifications by several channels at once: a channel that hangs holds up none of the others."""

from __future__ import annotations

import dataclasses
import math
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
_POLL_SECONDS = 0.2
_LEAST_SECONDS = 1.0
"""With less time left nothing new is begun."""
_GRACE_SECONDS = 3.0
"""For a command to be ended in."""


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
        """Deliver what waits, for about `seconds` at most. What is given up is told to `on_result`.

        With no fewer `seconds` than any channel may take, no command is left running.
        """
        deadline = time.monotonic() + seconds
        for line in self._lines:
            line.close(deadline)
        for line in self._lines:
            line.join(max(0.0, deadline + _GRACE_SECONDS - time.monotonic()))


class _Line:
    """One channel's thread and what waits for it."""

    def __init__(self, channel: Channel, environ: Mapping[str, str], on_result: Callable[[Result], None]) -> None:
        self._channel = channel
        self._environ = environ
        self._on_result = on_result
        self._queue: queue.Queue[Notification] = queue.Queue(MOST_WAITING)
        self._deadline: float | None = None
        """When it has to be done, monotonic seconds; None while the session goes on."""
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name=f"notify-{channel.name}", daemon=True)
        self._thread.start()

    def put(self, note: Notification) -> None:
        try:
            self._queue.put_nowait(note)
        except queue.Full:
            self._dropped += 1

    def close(self, deadline: float) -> None:
        self._deadline = deadline

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)
        left = self._queue.qsize() + self._thread.is_alive() + self._dropped
        if left:
            self._tell(f"{left} notifications were given up: the channel was too slow")

    def _run(self) -> None:
        while True:
            try:
                note = self._queue.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                if self._deadline is not None:
                    return
                continue
            self._deliver(note)

    def _deliver(self, note: Notification) -> None:
        left = math.inf if self._deadline is None else self._deadline - time.monotonic()
        if left < _LEAST_SECONDS:
            self._dropped += 1
            return
        channel = dataclasses.replace(self._channel, timeout_seconds=min(self._channel.timeout_seconds, left))
        self._on_result(deliver(channel, note, self._environ))

    def _tell(self, text: str) -> None:
        self._on_result(Result(self._channel.name, time.time_ns(), False, text))
