"""One sensor covers another's blind spot, once it has proved itself: decided when the proof is in, not before.

Node makes an io_uring ring at every start, within milliseconds; the folder watch, which would see an open made
through it, needs a moment to prove itself. So such a gap waits for the proof.
"""

from __future__ import annotations

import dataclasses
import threading

from agentguard.model.observation import GapObservation, GapType, Observation
from agentguard.sense.interface import Emit

_COVERED = frozenset({GapType.IO_URING})


class Cover:
    """Between the sensors and the pipeline."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._waiting: list[GapObservation] = []
        self._lock = threading.Lock()

    def emit(self, observation: Observation) -> None:
        """For the sensors."""
        if isinstance(observation, GapObservation) and observation.type in _COVERED:
            with self._lock:
                self._waiting.append(observation)
        else:
            self._emit(observation)

    def settle(self, covered_by: str, *, final: bool) -> None:
        """Hand on what waits, if `covered_by` names a proved sensor or there is no more time to wait."""
        if not (covered_by or final):
            return
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for gap in waiting:
            self._emit(dataclasses.replace(gap, covered_by=covered_by))
