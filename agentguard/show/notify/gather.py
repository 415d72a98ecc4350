"""Decides what is told when: the same thing once, the first at once, a flood as one digest. Pure but for `Told`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from agentguard.show.notify.alarm import Alarm, Need

MOST_GROUPS = 200
"""Groups that wait for a digest; what comes beyond is counted."""
_WHOLE = 1 - 1e-6
"""A token, but for what adding up fractions loses."""


class Told(Protocol):
    """What has been told by any session of this home folder."""

    def fresh(self, keys: Iterable[str], time_ns: int) -> bool:
        """Whether one of them has not been told lately."""
        ...

    def remember(self, keys: Iterable[str], time_ns: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Group:
    """The same thing, `count` times."""

    alarm: Alarm
    """The first of them."""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Digest:
    """What is told at once, the gravest first; never empty."""

    groups: tuple[Group, ...]
    uncounted: int = 0
    """Alarms that got lost before they could be looked at: too many at once."""


class TokenBucket:
    """`capacity` at once, then one every `seconds`."""

    def __init__(self, capacity: int, seconds: float) -> None:
        self._capacity = capacity
        self._seconds = seconds
        self._tokens = float(capacity)
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """Whether there is one, which is then taken. `now`: monotonic seconds."""
        self._fill(now)
        if self._tokens < _WHOLE:
            return False
        self._tokens -= 1
        return True

    def wait(self, now: float) -> float:
        """Seconds until there is one."""
        self._fill(now)
        return max(0.0, (1 - self._tokens) * self._seconds)

    def _fill(self, now: float) -> None:
        if self._at is not None and self._seconds > 0:
            self._tokens += (now - self._at) / self._seconds
        self._tokens = min(self._tokens, self._capacity) if self._seconds > 0 else self._capacity
        self._at = now


class Gatherer:
    """Of one session. For one thread."""

    def __init__(self, bucket: TokenBucket, told: Told, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self._bucket = bucket
        self._told = told
        self._clock = clock
        self._waiting: dict[frozenset[str], Group] = {}
        self._uncounted = 0
        self._gravest_told = len(Need)

    def take(self, alarm: Alarm) -> None:
        """It waits until `due` or `rest` hands it out; the same again only counts."""
        same = self._waiting.get(alarm.keys)
        if same is not None:
            self._waiting[alarm.keys] = dataclasses.replace(same, count=same.count + 1)
        elif self._told.fresh(alarm.keys, alarm.time_ns):
            if len(self._waiting) < MOST_GROUPS:
                self._waiting[alarm.keys] = Group(alarm)
            else:
                self._uncounted += 1

    def lost(self, count: int) -> None:
        """That many alarms never came here."""
        self._uncounted += count

    def wait(self) -> float | None:
        """Seconds until `due` has something; None: nothing waits."""
        if not self._waiting:
            return None
        return 0.0 if self._is_graver() else self._bucket.wait(self._clock())

    def due(self) -> Digest | None:
        """What may be told now."""
        if not self._waiting:
            return None
        taken = self._bucket.take(self._clock())
        return self.rest() if taken or self._is_graver() else None

    def rest(self) -> Digest | None:
        """All that waits, at once: the session ends."""
        if not self._waiting:
            return None
        groups = sorted(self._waiting.values(), key=lambda group: (group.alarm.need.rank, group.alarm.time_ns))
        uncounted, self._uncounted = self._uncounted, 0
        self._waiting.clear()
        self._gravest_told = min(self._gravest_told, groups[0].alarm.need.rank)
        for group in groups:
            self._told.remember(group.alarm.keys, group.alarm.time_ns)
        return Digest(tuple(groups), uncounted)

    def _is_graver(self) -> bool:
        """What is worse than all that was told so far does not wait: a leak after a digest of exposures."""
        return min(group.alarm.need.rank for group in self._waiting.values()) < self._gravest_told
