"""Links a send to the read it came from: the same fingerprint, earlier, in the same session."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from agentguard.model.finding import Flow

_KEPT = 64
"""Latest reads kept of one fingerprint in one way; the first is always kept."""


class Source(IntEnum):
    """How a session came by a value, the most telling last. A command line is none of them: what stands there was
    known to who wrote it, and `curl -H "Authorization: ..."` would make a flow of every ordinary login."""

    INHERIT = 1
    """It was in an environment at an exec."""
    READ = 2
    """Its file was opened."""


@dataclass(slots=True)
class _Reads:
    first: tuple[int, str]
    latest: list[tuple[int, str]] = field(default_factory=list)
    """(time in ns, event uid), oldest first."""

    def add(self, time_ns: int, uid: str) -> None:
        self.first = min(self.first, (time_ns, uid))
        insort(self.latest, (time_ns, uid))
        if len(self.latest) > _KEPT:
            del self.latest[0]

    def before(self, time_ns: int) -> tuple[int, str] | None:
        """The latest at or before a time."""
        at = bisect_right(self.latest, time_ns, key=lambda read: read[0])
        if at:
            return self.latest[at - 1]
        return self.first if self.first[0] <= time_ns else None


class FlowTracker:
    """Who read what, when. For one thread: the pipeline's."""

    def __init__(self) -> None:
        self._reads: dict[tuple[str, str, Source], _Reads] = {}

    def read(self, session: str, fingerprints: Iterable[str], source: Source, uid: str, time_ns: int) -> None:
        """Event `uid` brought these values into the session."""
        for fingerprint in fingerprints:
            reads = self._reads.setdefault((session, fingerprint, source), _Reads((time_ns, uid)))
            reads.add(time_ns, uid)

    def flow(self, session: str, fingerprints: Iterable[str], time_ns: int) -> Flow | None:
        """Where a send of these values at `time_ns` had one of them from; None when nobody was seen to read any.

        Of several: a read of the file before an inheritance before an argument; then the most recent.
        """
        best: tuple[Source, int, str, str] | None = None
        for fingerprint in fingerprints:
            for source in Source:
                reads = self._reads.get((session, fingerprint, source))
                read = reads.before(time_ns) if reads else None
                if read is not None:
                    candidate = (source, read[0], read[1], fingerprint)
                    best = candidate if best is None else max(best, candidate)
        if best is None:
            return None
        return Flow(read=best[2], seconds=(time_ns - best[1]) / 1e9, fingerprint=best[3])
