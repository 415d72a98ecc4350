"""The comparison of two sessions for a program: all of it, also what is in both. Fields may join; none goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agentguard.model.event import iso_time
from agentguard.model.session_json import coverage_to_json, session_to_json
from agentguard.model.unicode import valid_text
from agentguard.record.span import Tally
from agentguard.show.credential_words import sendings
from agentguard.show.document import document
from agentguard.show.sheets.compare import Change, Comparison, CredentialChange, SensorChange
from agentguard.show.urgency import worst_outcome


def compare_json(data: Comparison) -> str:
    """ASCII only, so that nothing in it can act on a terminal."""
    return document(
        "compare",
        {
            "generated": iso_time(data.generated_ns),
            "before": session_to_json(data.before),
            "after": session_to_json(data.after),
            "credentials": [_credential(one) for one in data.credentials],
            "destinations": _changes(data.destinations, "host", "outcome", "blocked"),
            "files": _changes(data.files, "path", "activity"),
            "commands": _changes(data.commands, "subject"),
            "rules": _changes(data.rules, "rule", "disposition"),
            "sensors": [_sensor(one) for one in data.sensors],
        },
    )


def _changes(changes: Sequence[Change], *names: str) -> list[dict[str, Any]]:
    """`names` are those of the parts of a tally's key."""
    return [
        {
            "change": one.what,
            **_named(names, one.one.key),
            "before": _tally(one.before),
            "after": _tally(one.after),
        }
        for one in changes
    ]


def _named(names: Sequence[str], key: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = dict(zip(names, key, strict=True))
    return found | {"blocked": bool(found["blocked"])} if "blocked" in found else found


def _tally(one: Tally | None) -> dict[str, Any] | None:
    if one is None:
        return None
    first, last = iso_time(one.first_ns), iso_time(one.last_ns)
    return {"events": one.events, "severity": one.severity.value, "first": first, "last": last}


def _credential(change: CredentialChange) -> dict[str, Any]:
    one = change.one
    return {
        "change": change.what,
        "fingerprint": one.fingerprint,
        "type": one.type,
        "name": valid_text(one.name),
        "preview": one.preview,
        "public": one.public,
        "outcome_before": worst_outcome(change.before).value if change.before else None,
        "outcome_after": worst_outcome(change.after).value if change.after else None,
        "hosts": list(dict.fromkeys(use.host for use in sendings(one.uses) if use.host and not use.blocked)),
    }


def _sensor(one: SensorChange) -> dict[str, Any]:
    return {
        "sensor": one.sensor,
        "before": coverage_to_json(one.before) if one.before else None,
        "after": coverage_to_json(one.after) if one.after else None,
    }
