"""Keys in what coding agents keep of their sessions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentguard.model.posture import Check, Fix, Weakness
from agentguard.posture.checks.in_places import PlaceRule, in_places
from agentguard.posture.evidence import Credential, Evidence
from agentguard.posture.words import shell_paths

_WHY = (
    "What stands in a transcript was in the conversation: the model provider has received it, and the file keeps it in "
    "plain text for every later program."
)
_MOST_PATHS = 20


def check(evidence: Evidence) -> Iterator[Weakness]:
    yield from in_places(evidence, _RULE)


def _clean(_evidence: Evidence, one: Credential) -> Sequence[Fix]:
    paths = one.paths
    more = (
        "" if len(paths) <= _MOST_PATHS else f", and {len(paths) - _MOST_PATHS} more: `check --format json` names them"
    )
    return (Fix(do=f"Then delete the transcripts{more}", command=f"rm -- {shell_paths(paths[:_MOST_PATHS])}"),)


_RULE = PlaceRule(
    check=Check.TRANSCRIPT,
    place="transcript",
    why=_WHY,
    verb="is in an agent's transcript:",
    clean=_clean,
    rotate_first=True,
    because="a model provider has it",
)
