"""Whether a secret was within a process's reach: what decides if something unseen could have carried one out.

Within reach of a process is what it, or one of its ancestors, has read, fetched or inherited. What a process reads
also comes within reach of its ancestors, for its output goes back to them (an agent is shown what its `cat` printed),
and so of whatever they start afterwards, the other end of a pipeline included. An ordinary reader (`git` its own
login) prints nothing: there it stays with the reader.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from agentguard.model.attributed import Attributed
from agentguard.model.observation import ConnectObservation
from agentguard.model.process import ProcessSnapshot

_PIPELINE_NS = 5_000_000_000
"""The end of a pipeline may connect before its beginning has opened the file: this much later still counts."""
_REMEMBERED = 256

_Connection = tuple[Attributed, ConnectObservation]


@dataclass(slots=True)
class _Session:
    pids: dict[int, int] = field(default_factory=dict)
    """pid → time in ns from which on a secret is within its reach."""
    anyone: int | None = None
    """From which on any process of the session may hold one: somebody read it and is not known."""
    earliest: int | None = None
    harmless: deque[_Connection] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    """Connections made when nothing was within reach."""


class Reach:
    """For one thread: the pipeline's."""

    def __init__(self) -> None:
        self._sessions: dict[str, _Session] = {}

    def touched(
        self, session: str, process: ProcessSnapshot | None, ancestors: Sequence[int], time_ns: int, *, upward: bool
    ) -> list[_Connection]:
        """A process came by a secret; `upward`: and may have handed it to its ancestors.

        Returns:
            Earlier connections that were thought harmless and are not: of this very process, or of its neighbour in a
            pipeline that was being set up.
        """
        state = self._sessions.setdefault(session, _Session())
        state.earliest = _earlier(state.earliest, time_ns)
        if process is None:
            state.anyone = _earlier(state.anyone, time_ns)
            return []
        for pid in (process.pid, *(ancestors if upward else ())):
            state.pids[pid] = _earlier(state.pids.get(pid), time_ns)
        late = [entry for entry in state.harmless if _comes_late(entry, process.pid, ancestors, time_ns)]
        for entry in late:
            state.harmless.remove(entry)
        return late

    def within(self, session: str, process: ProcessSnapshot | None, ancestors: Sequence[int], time_ns: int) -> bool:
        """Whether a secret was within reach of this process by then; of an unknown one, of anybody."""
        state = self._sessions.get(session)
        if state is None or state.earliest is None:
            return False
        if process is None:
            return state.earliest <= time_ns
        if state.anyone is not None and state.anyone <= time_ns:
            return True
        return any(state.pids.get(pid, time_ns + 1) <= time_ns for pid in (process.pid, *ancestors))

    def remember(self, attributed: Attributed, connection: ConnectObservation) -> None:
        """A connection made when nothing was within reach: it may stay open."""
        self._sessions.setdefault(attributed.session, _Session()).harmless.append((attributed, connection))


def _earlier(known: int | None, time_ns: int) -> int:
    return time_ns if known is None else min(known, time_ns)


def _comes_late(entry: _Connection, reader: int, reader_ancestors: Sequence[int], time_ns: int) -> bool:
    attributed, connection = entry
    if connection.process.pid == reader:
        return True
    ancestors = [ancestor.pid for ancestor in attributed.ancestors]
    neighbours = bool(ancestors) and ancestors[:1] == list(reader_ancestors[:1])
    related = neighbours or reader in ancestors or connection.process.pid in reader_ancestors
    return related and time_ns - connection.time_ns <= _PIPELINE_NS
