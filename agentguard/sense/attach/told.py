"""Which opens have been told already, so that two sensors that see the same one tell it once."""

from __future__ import annotations

import threading

Key = tuple[int, int]
"""Device and inode."""
_MAX_KNOWN = 4096


class Told:
    """By presence, never by counting: inotify merges equal events. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at: dict[tuple[Key, int, int], int] = {}
        self._last: dict[Key, int] = {}

    def note(self, key: Key, pid: int, start_time: int, time_ns: int) -> None:
        """This process was said to have opened this file."""
        with self._lock:
            if len(self._at) >= _MAX_KNOWN:
                del self._at[next(iter(self._at))]
            self._at[key, pid, start_time] = time_ns
            self._last[key] = time_ns

    def knows(self, key: Key, pid: int, start_time: int, since_ns: int) -> bool:
        return self._at.get((key, pid, start_time), 0) >= since_ns

    def anyone(self, key: Key, since_ns: int) -> bool:
        return self._last.get(key, 0) >= since_ns
