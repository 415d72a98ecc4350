"""What a dashboard asks over and over of sessions that run: each answer costs as much as what is new. Never writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agentguard.model.event import Event
from agentguard.model.session import Session
from agentguard.record.counting import COUNTED, NAMES
from agentguard.record.reader import Mark, Reader
from agentguard.record.supervisor import Supervisor, pid_alive

_COUNTS = f"SELECT {COUNTED} FROM events INDEXED BY events_page WHERE session = ? AND id > ? AND id <= ?"  # noqa: S608
_STEPS = """
SELECT time_ns / {step} AS step, SUM(kind = 'file' AND activity = 'read') AS reads, SUM(activity = 'send') AS sends,
    COUNT(flow_read) AS flows, SUM(kind = 'gap') AS gaps
FROM events INDEXED BY {index} WHERE session = ? AND id > ? AND id <= ? GROUP BY step
"""
_FIRST_OF = """
SELECT id FROM events INDEXED BY events_page WHERE session = ? AND id > ? AND outcome = ? ORDER BY id LIMIT 1
"""
_OPEN = "SELECT uid, supervisor_pid, supervisor_start FROM sessions WHERE seal = ''"
_SINCE = "SELECT id FROM events INDEXED BY events_time WHERE session = ? AND time_ns >= ? ORDER BY time_ns, id LIMIT 1"
_TOUCHED = """
SELECT pid, COUNT(*) AS events, SUM(kind = 'file' AND activity = 'read') AS reads, SUM(activity = 'send') AS sends,
    COUNT(flow_read) AS flows, MAX(severity) AS severity, MAX(id) AS last_id
FROM events WHERE session = ? AND time_ns >= ? AND time_ns < ? {} GROUP BY pid
"""
_MARKS = "SELECT uid, mark FROM triage CROSS JOIN events ON events.id = triage.event WHERE session = ?"
"""CROSS: from the few marks to their events, never from the many events."""
_IDS_OF_PROCESS = """
SELECT id FROM events WHERE session = ? AND pid = ? AND time_ns >= ? AND time_ns < ?
ORDER BY time_ns DESC, id DESC LIMIT ?
"""


Span = tuple[int, int]
"""From this moment to before that one, ns since the epoch."""
EVER: Span = (0, 2**63 - 1)


@dataclass(frozen=True, slots=True)
class Step:
    """What was counted in one step of time."""

    number: int
    """Steps since the epoch."""
    reads: int = 0
    sends: int = 0
    flows: int = 0
    gaps: int = 0

    def plus(self, other: Step) -> Step:
        """Both, under the number of this one."""
        return Step(
            self.number,
            self.reads + other.reads,
            self.sends + other.sends,
            self.flows + other.flows,
            self.gaps + other.gaps,
        )


@dataclass(frozen=True, slots=True)
class Touched:
    """What one process did that events tell of."""

    pid: int
    events: int = 0
    reads: int = 0
    sends: int = 0
    flows: int = 0
    severity: int = 0
    """Rank of the gravest."""
    last_id: int = 0
    """Row of its newest event."""

    def plus(self, other: Touched) -> Touched:
        """Both, of the pid of this one."""
        return Touched(
            self.pid,
            self.events + other.events,
            self.reads + other.reads,
            self.sends + other.sends,
            self.flows + other.flows,
            max(self.severity, other.severity),
            max(self.last_id, other.last_id),
        )


class Pulse(Reader):
    """A reader that is asked for what came between two rows. `after` is left out, `upto` is in. Row ids only grow."""

    def counts_between(self, session: str, after: int, upto: int) -> dict[str, int]:
        """As `Session.counts`, but for what is counted by its fingerprint."""
        rows = self._rows(_COUNTS, [session, after, upto])
        return dict(zip(NAMES, rows[0], strict=True)) if rows else dict.fromkeys(NAMES, 0)

    def steps_between(self, session: str, step_ns: int, after: int, upto: int) -> list[Step]:
        """Steps of time in which anything happened. From the beginning, a million events take half a second."""
        sql = _STEPS.format(step=int(step_ns), index="events_page" if after else "events_time")
        return [Step(*row) for row in self._rows(sql, [session, after, upto])]

    def touched(self, session: str, span: Span = EVER, pid: int | None = None) -> list[Touched]:
        """What each process did in a span of time, or one pid alone. What has no process is left out."""
        which, values = ("AND pid > 0", []) if pid is None else ("AND pid = ?", [pid])
        return [Touched(*row) for row in self._rows(_TOUCHED.format(which), [session, *span, *values])]

    def marks(self, session: str) -> dict[str, Mark]:
        """What people said of a session's events, by uid."""
        if not self._layout().triage:
            return {}
        return {row["uid"]: Mark(row["mark"]) for row in self._rows(_MARKS, [session])}

    def ids_of_process(self, session: str, pid: int, span: Span, limit: int) -> list[int]:
        """Row ids of its events, newest first."""
        return [row["id"] for row in self._rows(_IDS_OF_PROCESS, [session, pid, *span, limit])]

    def first_of_outcome(self, session: Session, after: int) -> Event | None:
        """The first event behind row `after` that alone would have brought the session to its outcome."""
        found = self._rows(_FIRST_OF, [session.uid, after, session.outcome.value])
        return next(iter(self.events_by_id([found[0]["id"]])), None) if found else None

    def unguarded(self, is_alive: Callable[[int], bool] = pid_alive) -> frozenset[str]:
        """uids of the sessions that are not sealed, and whose guards have died."""
        rows = self._rows(_OPEN, [])
        return frozenset(row["uid"] for row in rows if not Supervisor(row[1], row[2]).alive(is_alive))

    def id_since(self, session: str, time_ns: int) -> int:
        """Row id of the first event at that moment or after it; 0 when there is none."""
        rows = self._rows(_SINCE, [session, time_ns])
        return int(rows[0]["id"]) if rows else 0
