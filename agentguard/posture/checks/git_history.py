"""Keys in the history of the repository, and whether they still stand in its tree."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from agentguard.model.at_rest import SecretAtRest
from agentguard.model.posture import Check, Fix, Place, Weakness
from agentguard.posture.evidence import Evidence
from agentguard.posture.words import label, lower, rotate, shell_path, where

_WHY = (
    "A deleted line is still in every clone, in forks and in the host's caches, and programs look for keys in public "
    "histories within minutes of a push."
)
_COMMIT_CHARS = 10


def check(evidence: Evidence) -> Iterator[Weakness]:
    standing = {one.match.fingerprint: one for one in evidence.kept if not one.file.at_home}
    grouped: dict[str, list[SecretAtRest]] = {}
    for one in evidence.past:
        grouped.setdefault(one.match.fingerprint, []).append(one)
    for fingerprint, found in grouped.items():
        still = standing.get(fingerprint)
        found.sort(key=lambda one: one.commit.time if one.commit else 0.0)
        yield _weakness(evidence, found, still.file.name if still else "")


def _weakness(evidence: Evidence, found: list[SecretAtRest], still: str) -> Weakness:
    match = next((one.match for one in found if one.match.name), found[0].match)
    paths = list(dict.fromkeys(one.path for one in found))
    stands = f"still stands in {still}" if still else "is gone from the tree and stays in the history"
    severity = max((one.severity for one in found), key=lambda severity: severity.rank)
    return Weakness(
        check=Check.GIT_HISTORY,
        severity=lower(severity) if still else severity,
        title=f"{label(evidence, match)} was committed in {where(paths)}, and {stands}",
        why=_WHY,
        fixes=(*rotate(evidence, [match], why="once it is revoked, the history is harmless"), _rewrite(paths)),
        places=tuple(_place(one) for one in found),
        type=match.type,
        name=match.name,
        preview=match.preview,
        fingerprint=match.fingerprint,
    )


def _place(one: SecretAtRest) -> Place:
    commit = one.commit
    if commit is None:
        return Place(path=one.path, line=one.line, column=one.column)
    day = datetime.fromtimestamp(commit.time, UTC).strftime(", %Y-%m-%d") if commit.time else ""
    return Place(path=one.path, line=one.line, column=one.column, note=f"commit {commit.id[:_COMMIT_CHARS]}{day}")


def _rewrite(paths: list[str]) -> Fix:
    if len(paths) == 1 and paths[0].rpartition("/")[2].startswith(".env"):
        return Fix(
            do="If the file must leave the history as well: everyone has to clone anew afterwards",
            command=f"git filter-repo --invert-paths --path {shell_path(paths[0])}",
        )
    return Fix(
        do="If it must leave the history as well, list the old values in a file outside the repository: everyone has "
        "to clone anew afterwards",
        command="git filter-repo --replace-text ../old-values.txt",
    )
