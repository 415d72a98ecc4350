"""Keys in notebooks: in a cell, or in the output that was saved with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentguard.model.posture import Check, Fix, Weakness
from agentguard.model.verdict import Severity
from agentguard.posture.checks.in_places import PlaceRule, in_places
from agentguard.posture.evidence import Credential, Evidence
from agentguard.posture.words import lower, shell_paths, variable

_WHY = "A notebook keeps its cells and all that they printed; it is shared, committed and rendered as it stands."


def check(evidence: Evidence) -> Iterator[Weakness]:
    yield from in_places(evidence, _RULE)


def _severity(evidence: Evidence, one: Credential) -> Severity:
    tracked = any(evidence.is_tracked(kept.file) for kept in one.places)
    return one.severity if tracked or evidence.git is None else lower(one.severity)


def _clean(evidence: Evidence, one: Credential) -> Sequence[Fix]:
    return (
        Fix(do=f'Where a cell holds it: `os.environ["{variable(evidence, one.match)}"]` in its place'),
        Fix(
            do="Then clear what was printed",
            command=f"jupyter nbconvert --clear-output --inplace {shell_paths(one.paths)}",
        ),
    )


_RULE = PlaceRule(check=Check.NOTEBOOK, place="notebook", why=_WHY, verb="is in", clean=_clean, severity=_severity)
