"""Whether a sensor has seen its own decoy in this session, and when."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Proof:
    """Set once, by the sensor's own thread; anyone may wait for it."""

    def __init__(self, clock: Callable[[], int]) -> None:
        """`clock` gives ns since the epoch."""
        self._clock = clock
        self._seen = threading.Event()
        self.time_ns: int | None = None
        """Of the first time; None until then."""

    def set(self) -> None:
        if self.time_ns is None:
            self.time_ns = self._clock()
            self._seen.set()

    def is_set(self) -> bool:
        return self._seen.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """False when it was not seen within `timeout` seconds."""
        return self._seen.wait(timeout)
