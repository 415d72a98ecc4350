"""Events as lines of text: JSON Lines, a table for a terminal, CSV, OCSF."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agentguard.model.event import Event, event_to_json, iso_time
from agentguard.show.looks import DISPOSITION, SEVERITY, painted
from agentguard.show.phrases import clock_time, match_names, process_name
from agentguard.show.table import CSV_END, GAP, csv_line, fitted, table_line
from agentguard.show.text import safe

_TABLE = ("TIME", "SEVERITY", "WHAT", "ACT", "PROCESS", "SUBJECT")
_FIXED = (12, 10, 9, 7, 20)
"""Columns of the table but its last. Fixed, because lines come while they are printed."""
_LEAST = 20

CSV_HEADER = (
    *("uid", "time", "session", "seq", "kind", "activity", "subject", "path", "host", "pid", "process"),
    *("attribution", "types", "names", "fingerprints", "severity", "disposition", "outcome", "rule", "reason"),
    *("agent", "sensor", "port", "method", "destination", "flow_read", "flow_seconds", "count", "gap"),
)
"""New columns come last: a program may count them. Several types, names or fingerprints stand in one cell, with spaces
between them; `flow_read` is the uid of the event that read what this one sent."""


@dataclass(frozen=True, slots=True)
class Lines:
    """One way to print events."""

    header: str | None
    line: Callable[[Event], str]
    end: str = "\n"
    """Of each line."""


def lines_for(format_name: str, *, room: int = 120, color: bool = False) -> Lines:
    """`jsonl`, `ocsf`, `csv` or `text`; text is a table that takes `room` columns of a terminal."""
    if format_name == "jsonl":
        return Lines(None, json_line)
    if format_name == "ocsf":
        from agentguard.show.ocsf import ocsf_lines  # noqa: PLC0415 - rarely asked for

        return Lines(None, ocsf_lines)
    if format_name == "csv":
        return Lines(csv_line(CSV_HEADER), _csv_event, CSV_END)
    rest = max(_LEAST, room - sum(_FIXED) - len(GAP) * len(_FIXED))
    return Lines(table_line(_TABLE, (*_FIXED, rest)), lambda event: _table_event(event, rest, color=color))


def json_line(event: Event) -> str:
    """The object of DESIGN section 8. Pure ASCII: nothing in it can act on a terminal."""
    return json.dumps(event_to_json(event))


def json_array(events: Iterator[Event]) -> Iterator[str]:
    """One array, an event a line; for any number of events."""
    before = "["
    for event in events:
        yield before + json_line(event)
        before = ","
    yield "[]" if before == "[" else "]"


def _table_event(event: Event, rest: int, *, color: bool) -> str:
    finding, verdict = event.finding, event.verdict
    severity, became = SEVERITY[verdict.severity], DISPOSITION[verdict.disposition]
    subject = safe(finding.subject)
    names = match_names(finding.matches)
    cells = (
        clock_time(finding.time_ns),
        painted(fitted(f"{severity.glyph} {severity.word}", _FIXED[1]), severity.sgr, color=color),
        fitted(became.word, _FIXED[2]),
        fitted(finding.activity.value, _FIXED[3]),
        fitted(process_name(finding.process) if finding.process else "–", _FIXED[4]),
        fitted(f"{subject}  [{names}]" if names else subject, rest).rstrip(),
    )
    return GAP.join(cells)


def _csv_event(event: Event) -> str:
    finding, verdict = event.finding, event.verdict
    process = finding.process
    return csv_line(
        (
            *(finding.uid, iso_time(finding.time_ns), finding.session, event.seq, finding.kind.value),
            *(finding.activity.value, finding.subject, finding.path, finding.host),
            *(process.pid if process else "", process.name if process else "", finding.attribution.value),
            " ".join(match.type for match in finding.matches),
            " ".join(match.name for match in finding.matches if match.name),
            " ".join(match.fingerprint for match in finding.matches),
            *(verdict.severity.value, verdict.disposition.value, verdict.outcome.value, verdict.rule, verdict.reason),
            *(finding.agent, finding.sensor, finding.port or "", finding.method),
            verdict.destination.value if verdict.destination else "",
            *((finding.flow.read, round(finding.flow.seconds, 6)) if finding.flow else ("", "")),
            *(finding.count, finding.gap.detail if finding.gap else ""),
        )
    )
