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
_DATABASES = (".db", ".db-wal", ".sqlite", ".sqlite-wal", ".sqlite3", ".vscdb")


def check(evidence: Evidence) -> Iterator[Weakness]:
    yield from in_places(evidence, _RULE)


def _clean(_evidence: Evidence, one: Credential) -> Sequence[Fix]:
    """A file that holds every conversation is no file to delete."""
    files = [path for path in one.paths if not path.endswith(_DATABASES)]
    fixes = []
    if files:
        left = len(files) - _MOST_PATHS
        more = f", and {left} more that `check --format json` names" if left > 0 else ""
        command = f"rm -- {shell_paths(files[:_MOST_PATHS])}"
        fixes.append(Fix(do=f"Then delete the transcripts{more}", command=command))
    if len(files) < len(one.paths):
        fixes.append(Fix(do="Then delete the conversation, within the agent that had it"))
    return fixes


_RULE = PlaceRule(
    check=Check.TRANSCRIPT,
    place="transcript",
    why=_WHY,
    verb="is in an agent's transcript:",
    clean=_clean,
    rotate_first=True,
    because="a model provider has it",
)
