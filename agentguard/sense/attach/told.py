"""Which opens have been told already, so that two sensors that see the same one tell it once."""

from __future__ import annotations

import threading

Key = tuple[int, int]
"""Device and inode."""
_MAX_KNOWN = 4096
_BEFORE_NS, _AFTER_NS = 50_000_000, 10_000_000
"""An open that was held is seen by inotify as soon as it is let go: this long after it was told, or a moment before."""


class Told:
    """By presence, never by counting: inotify merges equal events. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at: dict[tuple[Key, int, int], int] = {}
        self._last: dict[Key, int] = {}
        self._held: dict[Key, list[int]] = {}

    def note(self, key: Key, pid: int, start_time: int, time_ns: int) -> None:
        """This process was said to have opened this file."""
        with self._lock:
            if len(self._at) >= _MAX_KNOWN:
                del self._at[next(iter(self._at))]
            self._at[key, pid, start_time] = time_ns
            self._last[key] = time_ns

    def held(self, key: Key, time_ns: int) -> None:
        """An open was held at that time, and is about to be seen by inotify."""
        with self._lock:
            self._held[key] = [at for at in self._held.get(key, []) if at > time_ns - _BEFORE_NS] + [time_ns]

    def take_held(self, key: Key, time_ns: int) -> bool:
        """Whether what inotify saw at that time is an open that was held; each is taken once."""
        with self._lock:
            for at in self._held.get(key, []):
                if -_AFTER_NS <= time_ns - at <= _BEFORE_NS:
                    self._held[key].remove(at)
                    return True
        return False

    def knows(self, key: Key, pid: int, start_time: int, since_ns: int) -> bool:
        return self._at.get((key, pid, start_time), 0) >= since_ns

    def anyone(self, key: Key, since_ns: int) -> bool:
        return self._last.get(key, 0) >= since_ns
