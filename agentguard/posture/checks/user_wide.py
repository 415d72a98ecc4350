"""Keys of a whole account where the issuer has narrower ones."""

from __future__ import annotations

from collections.abc import Iterator

from agentguard.detect.rules import CredentialType
from agentguard.model.posture import Check, Fix, Weakness
from agentguard.model.secret import KeyScope
from agentguard.model.verdict import Severity
from agentguard.posture.evidence import Credential, Evidence, credentials
from agentguard.posture.words import label, where

_WIDE = {KeyScope.USER: "all that your account can", KeyScope.ADMIN: "the whole organisation"}
_NARROW = (KeyScope.PROJECT, KeyScope.SERVICE)


def check(evidence: Evidence) -> Iterator[Weakness]:
    """One a type: its keys are replaced at one place, by keys of one other kind."""
    by_type: dict[str, list[Credential]] = {}
    for one in credentials(evidence.kept):
        by_type.setdefault(one.match.type, []).append(one)
    for type_id, held in by_type.items():
        kind = evidence.types.get(type_id)
        narrower = _narrower(evidence, kind) if kind else None
        if kind and narrower:
            yield _weakness(evidence, held, kind, narrower)


def _narrower(evidence: Evidence, kind: CredentialType) -> CredentialType | None:
    """A kind of the same provider that is bound to a project or a service."""
    if kind.scope not in _WIDE or kind.provider == "generic":
        return None
    others = [one for one in evidence.types.values() if one.provider == kind.provider and one.scope in _NARROW]
    return min(others, key=lambda one: _NARROW.index(one.scope), default=None)


def _weakness(evidence: Evidence, held: list[Credential], kind: CredentialType, narrower: CredentialType) -> Weakness:
    several = len(held) > 1
    paths = list(dict.fromkeys(path for one in held for path in one.paths))
    what = f"{len(held)} keys ({kind.name}) open" if several else f"{label(evidence, held[0].match)} opens"
    return Weakness(
        check=Check.USER_WIDE,
        severity=Severity.HIGH if kind.scope is KeyScope.ADMIN else Severity.MEDIUM,
        title=f"{what} {_WIDE[kind.scope]}, in {where(paths)}",
        why=f"{'One' if several else 'It'} needs to leak only once. The issuer has a narrower kind: {narrower.name}.",
        fixes=(
            Fix(
                do=f"Make a {narrower.name} that may do only what this project needs, and revoke the wide one",
                page=narrower.rotation if narrower.rotation.startswith("https://") else "",
            ),
        ),
        places=tuple(kept.place for one in held for kept in one.places),
        type=kind.id,
    )
