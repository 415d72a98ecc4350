"""Gaps on their way from the sensors to the pipeline: repeated ones are counted, and those that another sensor covers
say so.

Whether one covers another's blind spot is decided when its proof is in, not before: node makes an io_uring ring at
every start, within milliseconds, and the watches that would see an open made through it need a moment to prove
themselves. So such a gap waits.
"""

from __future__ import annotations

import dataclasses
import threading
from typing import Protocol

from agentguard.model.observation import GapObservation, GapType, Observation
from agentguard.sense.gap_log import GapLog
from agentguard.sense.interface import Emit
from agentguard.sense.select import UNHELD

_FOR_THE_WATCHES = "raise fs.inotify.max_user_watches and max_queued_events, so that inotify can cover it"
_SEE_LOG = "see agentguard.log in the home folder"
_REMEDIES = {
    GapType.IO_URING: _FOR_THE_WATCHES,
    GapType.UNREADABLE_PATH: _FOR_THE_WATCHES,
    GapType.EVENTS_LOST: "raise fs.inotify.max_queued_events",
    GapType.SCAN_FAILED: _SEE_LOG,
    GapType.SENSOR_STOPPED: _SEE_LOG,
    GapType.SENSOR_UNPROVED: "run `agentguard doctor`",
    GapType.OUTSIDE_TREE: "start that program inside the session",
}
"""What would close a gap whose sensor does not say."""

_WAIT = frozenset(
    {
        GapType.IO_URING,
        GapType.UNREADABLE_PATH,
        GapType.WATCH_LIMIT,
        GapType.EVENTS_LOST,
        GapType.SENSOR_UNAVAILABLE,
        GapType.SENSOR_STOPPED,
        GapType.SENSOR_UNPROVED,
    }
)
"""What another sensor may cover."""


class Covers(Protocol):
    """Who saw what the sensor of this gap could not: the proved sensors' names; "" when nobody did; None when it is not
    known yet. `relied`: the watches have covered something in this session."""

    def __call__(self, gap: GapObservation, *, relied: bool) -> str | None: ...


class Cover:
    """Between the sensors and the pipeline."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._log = GapLog(emit)
        self._waiting: list[GapObservation] = []
        self._relied = False
        self._lock = threading.Lock()

    def emit(self, observation: Observation) -> None:
        """For the sensors."""
        if not isinstance(observation, GapObservation):
            self._emit(observation)
            return
        with self._lock:
            if observation.type in _WAIT:
                self._waiting.append(observation)
            else:
                self._tell(observation, "")

    def settle(self, covers: Covers, *, final: bool) -> None:
        """Hand on what waits, as far as it is known who covers it, or there is no more time to wait."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            for gap in waiting:
                covered = covers(gap, relied=self._relied)
                if covered is None and not final:
                    self._waiting.append(gap)
                else:
                    self._relied = self._relied or (bool(covered) and gap.type in UNHELD)
                    self._tell(gap, covered or "")
            if final:
                self._log.flush()
            else:
                self._log.tell_overdue()

    def _tell(self, gap: GapObservation, covered_by: str) -> None:
        remedy = gap.remedy or _REMEDIES.get(gap.type, "")
        self._log.add(dataclasses.replace(gap, covered_by=covered_by or gap.covered_by, remedy=remedy))
