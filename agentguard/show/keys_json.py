"""`agentguard keys` for programs: fields may join; none goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from agentguard.model.credential import CredentialPlace, CredentialUse, KnownCredential
from agentguard.model.event import iso_time
from agentguard.show.credential_words import readings, sendings, why
from agentguard.show.document import document
from agentguard.show.issuers import Issuers, issuer_of
from agentguard.show.urgency import DEMANDS, Task, worst_outcome


def render_keys(
    credentials: Iterable[KnownCredential], tasks: Sequence[Task], issuers: Issuers, generated_ns: int
) -> str:
    """Indented; ASCII only, so that nothing in it can act on a terminal."""
    causes = {task.credential.fingerprint: task.cause.value for task in tasks}
    found = {
        "generated": iso_time(generated_ns),
        "worklist": [_task(task, issuers) for task in tasks],
        "credentials": [_credential(one, causes.get(one.fingerprint), issuers) for one in credentials],
    }
    return document("keys", found)


def _task(task: Task, issuers: Issuers) -> dict[str, Any]:
    name = task.credential.name or issuer_of(issuers, task.credential.type).name
    return {
        "fingerprint": task.credential.fingerprint,
        "cause": task.cause.value,
        "urgency": DEMANDS[task.cause].when,
        "do": DEMANDS[task.cause].do.format(name=name),
        "why": why(task),
        "page": task.issuer.page or None,
        "rotation": task.issuer.rotation or None,
    }


def _credential(one: KnownCredential, cause: str | None, issuers: Issuers) -> dict[str, Any]:
    issuer = issuer_of(issuers, one.type)
    return {
        "fingerprint": one.fingerprint,
        "type": one.type,
        "type_name": issuer.name,
        "provider": issuer.provider or None,
        "scope": issuer.scope.value,
        "severity": issuer.severity.value,
        "name": one.name,
        "preview": one.preview,
        "public": one.public,
        "issuer_hosts": list(one.issuer_hosts),
        "first_seen": iso_time(one.first_seen_ns),
        "last_seen": iso_time(one.last_seen_ns),
        "rotated": _time_or_none(one.rotated_ns),
        "outcome": worst_outcome(one).value,
        "cause": cause,
        "places": [_place(place) for place in one.places],
        "readers": [
            {
                "agent": reading.agent,
                "way": reading.way.value,
                "count": reading.count,
                "sessions": reading.sessions,
                "first": iso_time(reading.first_ns),
                "last": iso_time(reading.last_ns),
                "processes": list(reading.processes),
            }
            for reading in readings(one.uses)
        ],
        "receivers": [_receiver(use) for use in sendings(one.uses)],
    }


def _place(place: CredentialPlace) -> dict[str, Any]:
    return {
        "path": place.path,
        "line": place.line or None,
        "commit": place.commit or None,
        "commit_time": _time_or_none(place.commit_ns or None),
        "found_by": place.found_by.value,
        "first_seen": iso_time(place.first_seen_ns),
        "last_seen": iso_time(place.last_seen_ns),
        "gone": _time_or_none(place.gone_ns),
    }


def _receiver(use: CredentialUse) -> dict[str, Any]:
    return {
        "host": use.host or None,
        "outcome": use.outcome.value,
        "blocked": use.blocked,
        "count": use.count,
        "first": iso_time(use.first_ns),
        "last": iso_time(use.last_ns),
        "agent": use.agent,
        "process": use.process or None,
    }


def _time_or_none(time_ns: int | None) -> str | None:
    return None if time_ns is None else iso_time(time_ns)
