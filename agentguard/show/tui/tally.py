"""Counts of a session that grows, kept in memory: what has been counted once is not read again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agentguard.model.session import Session
from agentguard.record.pulse import Pulse, Step

SECOND_NS = 1_000_000_000
FINE_SECONDS = 1_800
"""So far back every second is kept by itself: the longest span shown that is not the whole session."""
COARSE_MOST = 4_096
"""Steps kept of the whole session. A longer one has longer steps: they double."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """What happened when. Steps in which nothing happened are left out; they need not be in order."""

    seconds: tuple[Step, ...] = ()
    """Of the last half hour, one second each."""
    whole: tuple[Step, ...] = ()
    """Of the whole session."""
    whole_ns: int = SECOND_NS
    """Length of one step of `whole`."""

    @property
    def empty(self) -> bool:
        """Nothing has happened yet."""
        return not self.whole


class Tally:
    """Of one session. Used by the watcher's thread alone; what it hands out is never changed."""

    def __init__(self, uid: str) -> None:
        self.uid = uid
        self._counts: dict[str, int] = {}
        self._counted = 0
        self._drawn = 0
        self._seconds: dict[int, Step] = {}
        self._whole: dict[int, Step] = {}
        self._whole_ns = SECOND_NS

    def counted(self, pulse: Pulse, session: Session, upto: int) -> dict[str, int]:
        """`Session.counts` as of row `upto`; those it was sealed with where it is sealed."""
        if session.seal:
            return session.counts
        if not self._counts or upto > self._counted:
            new = pulse.counts_between(self.uid, self._counted, upto)
            self._counts = {name: self._counts.get(name, 0) + count for name, count in new.items()}
            self._counted = upto
        return self._counts

    def timeline(self, pulse: Pulse, upto: int) -> Timeline:
        """As of row `upto`."""
        if upto > self._drawn:
            self._add(pulse.steps_between(self.uid, SECOND_NS, self._drawn, upto))
            self._drawn = upto
        return Timeline(tuple(self._seconds.values()), tuple(self._whole.values()), self._whole_ns)

    def _add(self, steps: Iterable[Step]) -> None:
        for step in steps:
            _into(self._seconds, step, step.number)
            _into(self._whole, step, step.number * SECOND_NS // self._whole_ns)
            if len(self._whole) > 2 * COARSE_MOST:
                self._coarsen()
        while len(self._whole) > COARSE_MOST:
            self._coarsen()
        if self._seconds:
            oldest = max(self._seconds) - FINE_SECONDS
            self._seconds = {number: step for number, step in self._seconds.items() if number > oldest}

    def _coarsen(self) -> None:
        self._whole_ns *= 2
        whole: dict[int, Step] = {}
        for number, step in self._whole.items():
            _into(whole, step, number // 2)
        self._whole = whole


def _into(steps: dict[int, Step], step: Step, number: int) -> None:
    at = steps.get(number) or Step(number)
    steps[number] = at.plus(step)
