"""Keys in what coding agents keep of their sessions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from agentguard.model.posture import Check, Fix, Weakness
from agentguard.model.verdict import Severity
from agentguard.posture.checks.in_places import PlaceRule, in_places
from agentguard.posture.evidence import Credential, Evidence, Kept
from agentguard.posture.words import counted, shell_paths

_WHY = (
    "What stands in a transcript was in the conversation: the model provider has received it, and the file keeps it in "
    "plain text for every later program."
)
_PLACE = "transcript"
_MOST_PATHS = 20
_DATABASES = (".db", ".db-wal", ".sqlite", ".sqlite-wal", ".sqlite3", ".vscdb")


def check(evidence: Evidence) -> Iterator[Weakness]:
    """One a key. What only looks like a password is told together: a conversation about code is full of them."""
    elsewhere = {one.match.fingerprint for one in evidence.kept if one.file.place != _PLACE}
    keys: list[Kept] = []
    others: list[Kept] = []
    for one in evidence.kept:
        if one.file.place == _PLACE:
            kind = evidence.types.get(one.match.type)
            known = one.match.fingerprint in elsewhere or (kind is not None and not kind.at_rest)
            (keys if known else others).append(one)
    yield from in_places(replace(evidence, kept=tuple(keys)), _RULE)
    if others:
        yield _together(evidence, others)


def _together(evidence: Evidence, others: list[Kept]) -> Weakness:
    alike = Credential(tuple(others))
    number = len({one.match.fingerprint for one in others})
    are = "that may be secret is" if number == 1 else "that may be secret are"
    return Weakness(
        check=Check.TRANSCRIPT,
        severity=Severity.LOW,
        title=f"{counted(number, 'value')} {are} in {counted(len(alike.paths), 'transcript')} of agents",
        why=_WHY,
        fixes=tuple(_clean(evidence, alike)),
        places=tuple(one.place for one in others),
    )


def _clean(_evidence: Evidence, one: Credential) -> Sequence[Fix]:
    """A file that holds every conversation is no file to delete."""
    files = [path for path in one.paths if not path.endswith(_DATABASES)]
    fixes = []
    if files:
        left = len(files) - _MOST_PATHS
        more = f", and {left} more that `check --format json` names" if left > 0 else ""
        command = f"rm -- {shell_paths(files[:_MOST_PATHS])}"
        fixes.append(Fix(do=f"Delete the transcripts{more}", command=command))
    if len(files) < len(one.paths):
        fixes.append(Fix(do="Delete the conversation, within the agent that had it"))
    return fixes


_RULE = PlaceRule(
    check=Check.TRANSCRIPT,
    place=_PLACE,
    why=_WHY,
    verb="is in an agent's transcript:",
    clean=_clean,
    rotate_first=True,
    because="a model provider has it",
)
