"""Gaps that repeat, told once and then counted: a busy upload, or a program that hides, must not drown the session."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from agentguard.model.observation import GapObservation, GapType

_QUIET_SECONDS = 30.0
_MOST_KEYS = 1024


@dataclass(slots=True)
class _Repeats:
    latest: GapObservation
    since: float
    count: int = 0


@dataclass(slots=True)
class GapLog:
    """The first of a kind is sent at once; its repetitions, as one with a count, when the quiet time is over."""

    send: Callable[[GapObservation], None]
    clock: Callable[[], float] = time.monotonic
    _repeats: dict[tuple[GapType, str, int], _Repeats] = field(default_factory=dict)

    def add(self, gap: GapObservation) -> None:
        key = (gap.type, gap.detail, gap.process.pid if gap.process else 0)
        now = self.clock()
        known = self._repeats.get(key)
        if known is not None and now - known.since < _QUIET_SECONDS:
            known.latest = gap
            known.count += gap.count
            return
        if len(self._repeats) >= _MOST_KEYS:
            self.flush()
        self._repeats[key] = _Repeats(gap, now)
        self.send(_counted(gap, gap.count + (known.count if known else 0)))

    def tell_overdue(self) -> None:
        """Send what was held back for longer than the quiet time."""
        now = self.clock()
        for key, repeats in list(self._repeats.items()):
            if now - repeats.since >= _QUIET_SECONDS:
                del self._repeats[key]
                self._send(repeats)

    def flush(self) -> None:
        """Send what was held back, and forget."""
        repeated, self._repeats = self._repeats, {}
        for repeats in repeated.values():
            self._send(repeats)

    def _send(self, repeats: _Repeats) -> None:
        if repeats.count:
            self.send(_counted(repeats.latest, repeats.count))


def _counted(gap: GapObservation, count: int) -> GapObservation:
    return gap if count == gap.count else replace(gap, count=count)
