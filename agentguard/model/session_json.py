"""A session as JSON: the object of `sessions --format json` and of a report (DESIGN section 8)."""

from __future__ import annotations

from typing import Any

from agentguard.model.event import iso_time, parse_time
from agentguard.model.session import Coverage, SensorState, Session
from agentguard.model.unicode import valid_text
from agentguard.model.verdict import Outcome


def session_to_json(session: Session) -> dict[str, Any]:
    """The public object. Text in it is valid Unicode; times are UTC."""
    return {
        "uid": session.uid,
        "agent": session.agent,
        "agent_name": valid_text(session.agent_name),
        "command": [valid_text(part) for part in session.command],
        "cwd": valid_text(session.cwd),
        "root_pid": session.root_pid,
        "start": iso_time(session.start_ns),
        "end": None if session.end_ns is None else iso_time(session.end_ns),
        "exit_status": session.exit_status,
        "in_background": session.in_background,
        "end_reason": session.end_reason,
        "outcome": session.outcome,
        "outcome_reason": valid_text(session.outcome_reason),
        "counts": dict(session.counts),
        "coverage": [coverage_to_json(coverage) for coverage in session.coverage],
        "seal": session.seal,
    }


def session_from_json(data: dict[str, Any]) -> Session:
    """The inverse of `session_to_json`; times at microsecond precision."""
    return Session(
        uid=data["uid"],
        agent=data["agent"],
        agent_name=data["agent_name"],
        command=tuple(data["command"]),
        cwd=data["cwd"],
        root_pid=data["root_pid"],
        start_ns=parse_time(data["start"]),
        end_ns=None if data["end"] is None else parse_time(data["end"]),
        exit_status=data["exit_status"],
        in_background=data["in_background"],
        end_reason=data["end_reason"],
        outcome=Outcome(data["outcome"]),
        outcome_reason=data["outcome_reason"],
        counts=dict(data["counts"]),
        coverage=tuple(_coverage_from_json(coverage) for coverage in data["coverage"]),
        seal=data["seal"],
    )


def coverage_to_json(coverage: Coverage) -> dict[str, Any]:
    return {
        "sensor": coverage.sensor,
        "state": coverage.state,
        "proved": coverage.proved,
        "proved_at": None if coverage.proved_ns is None else iso_time(coverage.proved_ns),
        "events": coverage.events,
        "drops": coverage.drops,
        "reason": valid_text(coverage.reason),
    }


def _coverage_from_json(data: dict[str, Any]) -> Coverage:
    return Coverage(
        sensor=data["sensor"],
        state=SensorState(data["state"]),
        proved=data["proved"],
        proved_ns=None if data["proved_at"] is None else parse_time(data["proved_at"]),
        events=data["events"],
        drops=data["drops"],
        reason=data["reason"],
    )
