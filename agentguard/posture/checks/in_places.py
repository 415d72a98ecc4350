"""What the checks of places have in common: a key that lies where none should, told once a key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agentguard.model.posture import Check, Fix, Weakness
from agentguard.model.verdict import Severity
from agentguard.posture.evidence import Credential, Evidence, credentials
from agentguard.posture.words import label, rotate, where


def _own(_evidence: Evidence, one: Credential) -> Severity:
    return one.severity


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRule:
    """A kind of place in which no key should lie."""

    check: Check
    place: str
    """Its id in policies/posture.yaml."""
    why: str
    verb: str
    """What stands between the key and the file: `is written into`."""
    clean: Callable[[Evidence, Credential], Sequence[Fix]]
    """The steps that take a key out of there."""
    severity: Callable[[Evidence, Credential], Severity] = _own
    rotate_first: bool = False
    """It has left already: replacing it comes before cleaning up."""
    because: str = ""
    """Why it has to be replaced, for the step that says so."""


def in_places(evidence: Evidence, rule: PlaceRule) -> Iterator[Weakness]:
    """A weakness for each credential that lies in a place of this kind."""
    for one in credentials(kept for kept in evidence.kept if kept.file.place == rule.place):
        cleaning = tuple(rule.clean(evidence, one))
        replacing = tuple(rotate(evidence, [one.match], why=rule.because))
        yield Weakness(
            check=rule.check,
            severity=rule.severity(evidence, one),
            title=f"{label(evidence, one.match)} {rule.verb} {where(one.paths)}",
            why=rule.why,
            fixes=(*replacing, *cleaning) if rule.rotate_first else (*cleaning, *replacing),
            places=tuple(kept.place for kept in one.places),
            type=one.match.type,
            name=one.match.name,
            preview=one.match.preview,
            fingerprint=one.match.fingerprint,
        )
