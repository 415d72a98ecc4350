"""The report of a range of sessions for a program. Fields may join; none goes."""

from __future__ import annotations

from typing import Any

from agentguard.model.credential import KnownCredential
from agentguard.model.event import iso_time
from agentguard.model.session_json import session_to_json
from agentguard.model.unicode import valid_text
from agentguard.model.verdict import Outcome
from agentguard.record.span import Scope, Tally
from agentguard.show.credential_words import readings, sendings
from agentguard.show.document import document
from agentguard.show.issuers import issuer_of
from agentguard.show.sheets.span import Day, SpanData
from agentguard.show.urgency import worst_outcome


def span_json(data: SpanData) -> str:
    """ASCII only, so that nothing in it can act on a terminal."""
    scope = data.scope
    return document(
        "report-range",
        {
            "generated": iso_time(data.generated_ns),
            "since": iso_time(scope.since_ns),
            "until": iso_time(scope.until_ns) if scope.until_ns < Scope().until_ns else None,
            "agent": scope.agent or None,
            "outcome": data.worst.value,
            "outcomes": {one.value: data.outcomes[one] for one in Outcome},
            "counts": dict(data.counts),
            "sessions": [session_to_json(one) for one in data.sessions],
            "days": [_day(one) for one in data.days],
            "credentials": [_credential(data, one) for one in data.credentials],
            "destinations": [
                {"host": one.key[0], "outcome": one.key[1], "blocked": bool(one.key[2]), **tally_json(one)}
                for one in data.destinations
            ],
            "gaps": [{"type": one.key[0], "remedy": one.key[1], **tally_json(one)} for one in data.gaps],
            "rules": [{"rule": one.key[0], "disposition": one.key[1], **tally_json(one)} for one in data.rules],
        },
    )


def tally_json(one: Tally) -> dict[str, Any]:
    """What every tally tells beside its key."""
    return {
        "events": one.events,
        "sessions": one.sessions,
        "severity": one.severity.value,
        "first": iso_time(one.first_ns),
        "last": iso_time(one.last_ns),
    }


def _day(one: Day) -> dict[str, Any]:
    return {
        "day": one.day.isoformat(),
        "sessions": one.sessions,
        "outcomes": {outcome.value: one.outcomes[outcome] for outcome in Outcome},
        "counts": dict(one.counts),
    }


def _credential(data: SpanData, one: KnownCredential) -> dict[str, Any]:
    sends = list(sendings(one.uses))
    return {
        "fingerprint": one.fingerprint,
        "type": one.type,
        "type_name": issuer_of(data.issuers, one.type).name,
        "name": valid_text(one.name),
        "preview": one.preview,
        "public": one.public,
        "rotated": None if one.rotated_ns is None else iso_time(one.rotated_ns),
        "outcome": worst_outcome(one).value,
        "sessions": data.spread.get(one.fingerprint, 0),
        "agents": list(dict.fromkeys(reading.agent for reading in readings(one.uses))),
        "hosts": list(dict.fromkeys(use.host for use in sends if use.host and not use.blocked)),
    }
