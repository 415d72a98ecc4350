"""Sessions as lines of text: a table for a terminal, CSV."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from agentguard.model.event import iso_time
from agentguard.model.session import Session
from agentguard.show.looks import OUTCOME, painted
from agentguard.show.phrases import day_and_time, duration
from agentguard.show.table import csv_line, table
from agentguard.show.text import safe, shortened

SHORT_UID = 13
"""The first characters of a uid: enough to name a session, as they hold its time to the millisecond."""

_TABLE = ("SESSION", "START", "AGENT", "OUTCOME", "READS", "SENDS", "FLOWS", "GAPS", "STATE", "FOLDER")
_OUTCOME_COLUMN = 3

CSV_HEADER = (
    *("uid", "agent", "command", "cwd", "root_pid", "start", "end", "exit_status", "end_reason", "outcome"),
    *("outcome_reason", "reads", "sends", "flows", "gaps", "gaps_counted", "alerts", "blocked", "secrets"),
)


def session_table(sessions: Sequence[Session], room: int, *, color: bool) -> list[str]:
    """All lines, header first, in `room` columns."""
    rows = [_row(session) for session in sessions]
    lines = table(_TABLE, rows, room)
    if not color:
        return lines
    return [lines[0], *(_painted(line, session) for line, session in zip(lines[1:], sessions, strict=True))]


def _painted(line: str, session: Session) -> str:
    look = OUTCOME[session.outcome]
    words = f"{look.glyph} {look.word}"
    return line.replace(words, painted(words, look.sgr, color=True), 1)


def _row(session: Session) -> tuple[str, ...]:
    look, counts = OUTCOME[session.outcome], session.counts
    return (
        session.uid[:SHORT_UID],
        day_and_time(session.start_ns)[:16],
        safe(session.agent_name),
        f"{look.glyph} {look.word}",
        *(f"{counts.get(name, 0):,}" for name in ("reads", "sends", "flows", "gaps_counted")),
        state(session),
        shortened(safe(session.cwd), 60),
    )


def state(session: Session) -> str:
    """How it stands, or how it ended and how long it took."""
    if session.end_ns is None:
        return "in the background" if session.in_background else "running"
    took = duration((session.end_ns - session.start_ns) / 1e9)
    return f"{safe(session.end_reason) or 'ended'} after {took}"


def csv_session(session: Session) -> str:
    counts = session.counts
    return csv_line(
        (
            *(session.uid, session.agent, shlex.join(session.command), session.cwd, session.root_pid),
            iso_time(session.start_ns),
            iso_time(session.end_ns) if session.end_ns is not None else "",
            *(session.exit_status, session.end_reason, session.outcome.value, session.outcome_reason),
            *(counts.get(name, 0) for name in CSV_HEADER[11:]),
        )
    )
