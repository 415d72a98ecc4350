"""Gap observations, the same one not twice in a short time: a busy upload must not drown the session."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from agentguard.model.observation import GapObservation, GapType
from agentguard.model.process import ProcessSnapshot

SENSOR = "proxy"
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
            known.count += 1
            return
        if len(self._repeats) >= _MOST_KEYS:
            self.flush()
        count = 1 + (known.count if known else 0)
        self._repeats[key] = _Repeats(gap, now)
        self.send(_counted(gap, count))

    def flush(self) -> None:
        """Send what was held back, and forget."""
        for repeats in self._repeats.values():
            if repeats.count:
                self.send(_counted(repeats.latest, repeats.count))
        self._repeats.clear()


def proxy_gap(
    kind: GapType, detail: str, *, process: ProcessSnapshot | None = None, remedy: str = "", harmless: bool = False
) -> GapObservation:
    """A gap of this sensor, now. `harmless`: nothing could have passed through it, for the connection was cut."""
    return GapObservation(
        time_ns=time.time_ns(),
        sensor=SENSOR,
        type=kind,
        detail=detail,
        remedy=remedy,
        process=process,
        covered_by=SENSOR if harmless else "",
    )


def _counted(gap: GapObservation, count: int) -> GapObservation:
    return gap if count == gap.count else replace(gap, count=count)
