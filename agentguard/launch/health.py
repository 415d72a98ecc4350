"""Notices, while the session goes on, what its sensors cannot tell of themselves: each thing once, and at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agentguard.model.observation import GapObservation, GapType
from agentguard.model.session import Coverage, SensorState
from agentguard.sense.interface import Emit

_SURE_NS = 400_000_000
"""A sensor must be found ended twice, this long apart: its thread ends with the tree too, a moment before we know."""
_PROOF_NS = 10_000_000_000
"""A decoy is seen within milliseconds; a busy machine may take this long."""
_OVER = frozenset({SensorState.STOPPED, SensorState.FAILED})


class Health:
    """Of one session. For one thread: the supervisor's."""

    def __init__(self, emit: Emit, clock: Callable[[], int]) -> None:
        self._emit = emit
        self._clock = clock
        self._began_ns = 0
        """When the sensors were there to be looked at: a session that opens slowly takes no time from them."""
        self._over_since: dict[str, int] = {}
        self._told: set[tuple[str, GapType]] = set()
        self._counted: dict[str, int] = {}

    def look(self, coverage: Iterable[Coverage]) -> None:
        """While the tree lives: a sensor that has ended, and one that should have seen its decoy by now."""
        now = self._clock()
        self._began_ns = self._began_ns or now
        for one in coverage:
            if one.state in _OVER:
                if now - self._over_since.setdefault(one.sensor, now) >= _SURE_NS:
                    self._tell(one.sensor, GapType.SENSOR_STOPPED, f"the {one.sensor} sensor has stopped{_why(one)}")
                continue
            self._over_since.pop(one.sensor, None)
            if now - self._began_ns >= _PROOF_NS:
                self._check_proof(one)

    def last_look(self, coverage: Iterable[Coverage]) -> None:
        """At the end: a sensor that never saw its own decoy may have been blind."""
        for one in coverage:
            self._check_proof(one)

    def count(self, total: int, what: str) -> None:
        """`total` things went wrong so far, `what` in words; what is new since the last time is told."""
        new = total - self._counted.get(what, 0)
        if new > 0:
            self._counted[what] = total
            self._gap("agentguard", GapType.EVENTS_LOST, what, "see agentguard.log in the home folder", new)

    def _check_proof(self, one: Coverage) -> None:
        if not one.proved and one.state is not SensorState.UNAVAILABLE:
            self._tell(one.sensor, GapType.SENSOR_UNPROVED, f"the {one.sensor} sensor did not see its own decoy")

    def _tell(self, sensor: str, kind: GapType, detail: str) -> None:
        if (sensor, kind) not in self._told:
            self._told.add((sensor, kind))
            self._gap(sensor, kind, detail)

    def _gap(self, sensor: str, kind: GapType, detail: str, remedy: str = "", count: int = 1) -> None:
        gap = GapObservation(time_ns=self._clock(), sensor=sensor, type=kind, detail=detail, remedy=remedy, count=count)
        self._emit(gap)


def _why(one: Coverage) -> str:
    return f": {one.reason}" if one.reason else ""
