"""Keys in logs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentguard.model.posture import Check, Fix, Weakness
from agentguard.model.verdict import Severity
from agentguard.posture.checks.in_places import PlaceRule, in_places
from agentguard.posture.evidence import Credential, Evidence
from agentguard.posture.words import lower, shell_paths

_WHY = "Logs are copied, attached to issues, shipped to other services and read by agents, and kept for a long time."


def check(evidence: Evidence) -> Iterator[Weakness]:
    yield from in_places(evidence, _RULE)


def _severity(evidence: Evidence, one: Credential) -> Severity:
    return one.severity if any(evidence.is_tracked(kept.file) for kept in one.places) else lower(one.severity)


def _clean(_evidence: Evidence, one: Credential) -> Sequence[Fix]:
    return (
        Fix(do="Delete what was logged", command=f"rm -- {shell_paths(one.paths)}"),
        Fix(do="Find the line that logs it, and have it leave headers and environments out"),
    )


_RULE = PlaceRule(check=Check.LOG, place="log", why=_WHY, verb="is in", clean=_clean, severity=_severity)
