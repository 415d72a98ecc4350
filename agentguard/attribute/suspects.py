"""Who may have changed a file, where nobody was held while doing it: who had opened it, or whose command names it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from agentguard.model.observation import ChangeObservation, ExecObservation, FileObservation, Observation
from agentguard.model.process import ProcessSnapshot

_BEFORE_NS = 5_000_000_000
"""An exec or an open this long before the change may have made it."""
_AFTER_NS = 200_000_000
"""The kernel's clock for a file's times is coarse."""
_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class _Act:
    time_ns: int
    process: ProcessSnapshot
    opened: str
    """The file it opened; "" for an exec."""


class Suspects:
    """Of one session. For one thread: the pipeline's."""

    def __init__(self) -> None:
        self._acts: deque[_Act] = deque(maxlen=_REMEMBERED)

    def remember(self, observation: Observation) -> None:
        if isinstance(observation, FileObservation) and observation.process is not None:
            self._acts.append(_Act(observation.time_ns, observation.process, observation.path))
        elif isinstance(observation, ExecObservation):
            self._acts.append(_Act(observation.time_ns, observation.process, ""))

    def of(self, changed: ChangeObservation) -> ProcessSnapshot | None:
        """The last that opened the file or names it in its command, shortly before; None when nobody did.

        A command that gives the whole path may run for long before it writes.
        """
        name = changed.path.rpartition("/")[2]
        for act in reversed(self._acts):
            age = changed.time_ns - act.time_ns
            recent = -_AFTER_NS <= age <= _BEFORE_NS
            if recent and (act.opened == changed.path or _names(act.process, name)):
                return act.process
            if age > _BEFORE_NS and _names(act.process, changed.path):
                return act.process
        return None


def _names(process: ProcessSnapshot, text: str) -> bool:
    return any(text in argument for argument in process.cmdline[1:])
