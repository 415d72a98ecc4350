"""Of `sessions --format json`."""

from __future__ import annotations

from agentguard.model.session import SensorState
from agentguard.model.verdict import Outcome
from agentguard.show.schemas.words import (
    FLAG,
    NUMBER,
    NUMBER_OR_NONE,
    TEXT,
    TEXTS,
    TIME,
    TIME_OR_NONE,
    counts,
    published,
    several,
    thing,
    words,
)

COVERAGE = thing(
    sensor=TEXT,
    state=words(SensorState),
    proved=FLAG,
    proved_at=TIME_OR_NONE,
    events=NUMBER,
    drops=NUMBER,
    reason=TEXT,
)

SESSION = thing(
    uid=TEXT,
    agent=TEXT,
    agent_name=TEXT,
    command=TEXTS,
    cwd=TEXT,
    root_pid=NUMBER,
    start=TIME,
    end=TIME_OR_NONE,
    exit_status=NUMBER_OR_NONE,
    in_background=FLAG,
    end_reason=TEXT,
    outcome=words(Outcome),
    outcome_reason=TEXT,
    counts=counts(),
    coverage=several(COVERAGE),
    seal=TEXT,
)
"""One session; also the line of `--format jsonl`, and `session` of a report."""

SESSIONS = published("sessions", "sessions, newest first", several(SESSION))
