"""The same key in more than one environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from agentguard.detect.names import says_public
from agentguard.model.posture import Check, Weakness
from agentguard.model.verdict import Severity
from agentguard.posture.evidence import Credential, Evidence, credentials
from agentguard.posture.words import label, listed, rotate

_PRODUCTION = "production"
_HARMLESS = frozenset({"development", "test"})
_WHY = (
    "Whoever gets the key of the weakest environment has the others too, and it cannot be revoked in one without "
    "breaking the rest."
)


def check(evidence: Evidence) -> Iterator[Weakness]:
    """What a name says is public (`NEXT_PUBLIC_...`) goes to every browser anyway."""
    used = (kept for kept in evidence.kept if kept.environment and kept.in_use and not says_public(kept.match.name))
    for one in credentials(used):
        found = {kept.environment for kept in one.places}
        if len(found) > 1:
            yield _weakness(evidence, one, sorted(found))


def _weakness(evidence: Evidence, one: Credential, found: list[str]) -> Weakness:
    first = {kept.environment: kept for kept in reversed(one.places)}
    make = rotate(evidence, [one.match])[0]
    apart = listed([name for name in found if name != _PRODUCTION] or found)
    return Weakness(
        check=Check.SHARED,
        severity=_severity(found),
        title=f"{label(evidence, one.match)} is the same in {listed(found)}",
        why=_WHY,
        fixes=(replace(make, do=f"Make a key of its own for {apart}, and put it into {_files(one, found)}"),),
        places=tuple(replace(first[name].place, note=name) for name in found),
        type=one.match.type,
        name=one.match.name,
        preview=one.match.preview,
        fingerprint=one.match.fingerprint,
    )


def _severity(found: list[str]) -> Severity:
    if _PRODUCTION in found:
        return Severity.HIGH
    return Severity.LOW if _HARMLESS.issuperset(found) else Severity.MEDIUM


def _files(one: Credential, found: list[str]) -> str:
    """Where the other environments' keys go; production keeps the one it has only if nothing else ever had it."""
    others = [kept.file.name for kept in one.places if kept.environment != _PRODUCTION or _PRODUCTION not in found]
    return listed(list(dict.fromkeys(others))[:3])
