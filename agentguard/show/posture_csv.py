"""What `check` found as CSV: one row a finding. New columns come last."""

from __future__ import annotations

from agentguard.model.posture import Posture, Weakness
from agentguard.model.unicode import valid_text
from agentguard.show.table import CSV_END, csv_line

_HEADER = ("id", "severity", "check", "title", "path", "line", "places", "type", "name", "preview", "do", "command")
"""`path` and `line` are of the first place, `places` counts them all; `do` is the first step."""


def posture_csv(posture: Posture) -> str:
    """All records, each with its end."""
    return "".join(line + CSV_END for line in (csv_line(_HEADER), *map(_record, posture.weaknesses)))


def _record(one: Weakness) -> str:
    place, fix = next(iter(one.places), None), next(iter(one.fixes), None)
    return csv_line(
        (
            *(one.identity, one.severity.value, one.check.value, valid_text(one.title)),
            *((valid_text(place.path), place.line or "") if place else ("", "")),
            *(len(one.places), one.type, valid_text(one.name), one.preview),
            *((valid_text(fix.do), valid_text(fix.command)) if fix else ("", "")),
        )
    )
