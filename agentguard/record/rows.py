"""What stands in the tables for a session, an event and a process. Pure.

An event's columns are all derived from its canonical JSON, so that `verify` can derive them again: an
edited column shows as surely as an edited object.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from agentguard.model.event import Event, event_to_json, parse_time
from agentguard.model.process import Process
from agentguard.model.session import Coverage, SensorState, Session
from agentguard.model.session_json import session_to_json
from agentguard.model.unicode import valid_text
from agentguard.model.verdict import Outcome, Severity
from agentguard.record.chain import canonical

CMDLINE_WORDS = 500
"""Characters of a command line that are searchable."""

SEVERITY_RANK = {severity.value: severity.rank for severity in Severity}


@dataclass(frozen=True, slots=True)
class Image:
    """An event on its way into the database."""

    body: bytes
    """Canonical JSON: what is hashed and stored."""
    columns: dict[str, Any]
    fingerprints: dict[str, bool]
    """Of its matches; whether each is public by design."""
    data: dict[str, Any]
    """The object that `body` spells."""


def event_image(event: Event) -> Image:
    """Everything that is stored of an event but its link."""
    return image_of(canonical(event_to_json(event)))


def image_of(body: bytes) -> Image:
    """Columns and fingerprints of a canonical event.

    Raises:
        ValueError, KeyError, TypeError: `body` is no event.
    """
    data = json.loads(body)
    process = data["process"] or {}
    columns = {
        "uid": data["uid"],
        "session": data["session"],
        "seq": data["seq"],
        "time_ns": parse_time(data["time"]),
        "kind": data["kind"],
        "activity": data["activity"],
        "severity": SEVERITY_RANK[data["severity"]],
        "disposition": data["disposition"],
        "outcome": data["outcome"],
        "subject": data["subject"],
        "path": data["path"] or "",
        "host": data["host"] or "",
        "pid": process.get("pid", 0),
        "process_name": process.get("name", ""),
        "flow_read": (data["flow"] or {}).get("read"),
        "words": " ".join(filter(None, _words(data, process))),
        "json": body.decode("utf-8"),
    }
    return Image(body, columns, {match["fingerprint"]: bool(match["public"]) for match in data["matches"]}, data)


def _words(data: dict[str, Any], process: dict[str, Any]) -> Iterable[str]:
    """What a search finds an event by, besides its subject."""
    yield data["path"] or ""
    yield data["host"] or ""
    yield process.get("name", "")
    yield " ".join(process.get("cmdline", ()))[:CMDLINE_WORDS]
    for match in data["matches"]:
        yield f"{match['type']} {match['name']} {match['fingerprint']}"
    if data["gap"]:
        yield f"{data['gap']['type']} {data['gap']['detail']}"


def session_columns(session: Session) -> dict[str, Any]:
    """The row of `sessions`, without what the writer adds (supervisor, seal)."""
    data = session_to_json(session)
    columns = {
        name: data[name]
        for name in ("uid", "agent", "agent_name", "cwd", "root_pid", "exit_status", "end_reason", "outcome_reason")
    }
    return columns | {
        "command": json.dumps(data["command"], ensure_ascii=False),
        "start_ns": session.start_ns,
        "end_ns": session.end_ns,
        "in_background": int(session.in_background),
        "outcome": session.outcome.value,
        "counts": json.dumps(session.counts),
    }


def session_from_row(row: sqlite3.Row, coverage: tuple[Coverage, ...], counts: dict[str, int] | None = None) -> Session:
    """`counts` replaces the stored ones while the session runs."""
    return Session(
        uid=row["uid"],
        agent=row["agent"],
        agent_name=row["agent_name"],
        command=tuple(json.loads(row["command"])),
        cwd=row["cwd"],
        root_pid=row["root_pid"],
        start_ns=row["start_ns"],
        end_ns=row["end_ns"],
        exit_status=row["exit_status"],
        in_background=bool(row["in_background"]),
        end_reason=row["end_reason"],
        outcome=Outcome(row["outcome"]),
        outcome_reason=row["outcome_reason"],
        counts=json.loads(row["counts"]) if counts is None else counts,
        coverage=coverage,
        seal=row["seal"],
    )


def coverage_row(session: str, position: int, coverage: Coverage) -> tuple[Any, ...]:
    return (
        session,
        coverage.sensor,
        coverage.state.value,
        int(coverage.proved),
        coverage.events,
        coverage.drops,
        valid_text(coverage.reason),
        position,
        coverage.proved_ns,
    )


def coverage_from_row(row: sqlite3.Row) -> Coverage:
    return Coverage(
        sensor=row["sensor"],
        state=SensorState(row["state"]),
        proved=bool(row["proved"]),
        proved_ns=row["proved_ns"] if "proved_ns" in row.keys() else None,  # noqa: SIM118 - a row is no mapping
        events=row["events"],
        drops=row["drops"],
        reason=row["reason"],
    )


def process_row(session: str, process: Process, now_ns: int) -> tuple[Any, ...]:
    """The parent is the nearest ancestor; 0 when it is not known."""
    parent = process.ancestors[0].pid if process.ancestors else 0
    cmdline = json.dumps([valid_text(part) for part in process.cmdline], ensure_ascii=False)
    return (
        session,
        process.pid,
        process.start_time,
        parent,
        valid_text(process.name),
        valid_text(process.exe),
        cmdline,
        now_ns,
    )


def sealed_body(session: Session, events: int, processes: str) -> bytes:
    """What a seal covers besides the last link: the session's row as it ended, and its process tree."""
    data = session_to_json(session)
    del data["seal"]
    # The row keeps nanoseconds, the public object microseconds: the seal covers what is kept.
    data |= {"start": session.start_ns, "end": session.end_ns, "events": events, "processes": processes}
    for stored, sensor in zip(data["coverage"], session.coverage, strict=True):
        del stored["proved_at"]
        if sensor.proved_ns is not None:  # sessions of the first schema had none, and their seals still hold
            stored["proved_at"] = sensor.proved_ns
    return canonical(data)
