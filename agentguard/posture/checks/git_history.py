"""Keys in the history of the repository, and whether they still stand in its tree."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from agentguard.model.at_rest import SecretAtRest
from agentguard.model.posture import Check, Fix, Place, Weakness
from agentguard.model.verdict import Severity
from agentguard.posture.evidence import Credential, Evidence, Kept
from agentguard.posture.words import label, rotate, shell_path, where

_WHY = (
    "A deleted line is still in every clone, in forks and in the host's caches, and programs look for keys in public "
    "histories within minutes of a push."
)
_COMMIT_CHARS = 10


def check(evidence: Evidence) -> Iterator[Weakness]:
    standing: dict[str, list[Kept]] = {}
    for kept in evidence.kept:
        if not kept.file.at_home:
            standing.setdefault(kept.match.fingerprint, []).append(kept)
    grouped: dict[str, list[SecretAtRest]] = {}
    for one in evidence.past:
        grouped.setdefault(one.match.fingerprint, []).append(one)
    for fingerprint, found in grouped.items():
        found.sort(key=lambda one: one.commit.time if one.commit else 0.0)
        yield _weakness(evidence, found, standing.get(fingerprint, []))


def _weakness(evidence: Evidence, found: list[SecretAtRest], still: list[Kept]) -> Weakness:
    match = next((one.match for one in found if one.match.name), found[0].match)
    paths = list(dict.fromkeys(one.path for one in found))
    gravest = max((one.severity for one in found), key=lambda severity: severity.rank)
    in_tree = any(evidence.is_tracked(kept.file) for kept in still)
    return Weakness(
        check=Check.GIT_HISTORY,
        severity=Severity.LOW if in_tree else gravest,
        title=f"{label(evidence, match)} was committed in {where(paths)}, and {_today(still, in_tree=in_tree)}",
        why=_WHY,
        fixes=(*rotate(evidence, [match], why="nothing else makes the history harmless"), _rewrite(evidence, paths)),
        places=tuple(_place(one) for one in found),
        type=match.type,
        name=match.name,
        preview=match.preview,
        fingerprint=match.fingerprint,
    )


def _today(still: list[Kept], *, in_tree: bool) -> str:
    """Whether it still stands. Where it is tracked, another check says what to do there."""
    if not still:
        return "is gone from the tree, not from the history"
    return f"{'still stands in' if in_tree else 'is still in use, in'} {where(Credential(tuple(still)).paths)}"


def _place(one: SecretAtRest) -> Place:
    commit = one.commit
    if commit is None:
        return Place(path=one.path, line=one.line, column=one.column)
    day = datetime.fromtimestamp(commit.time, UTC).strftime(", %Y-%m-%d") if commit.time else ""
    return Place(path=one.path, line=one.line, column=one.column, note=f"commit {commit.id[:_COMMIT_CHARS]}{day}")


def _rewrite(evidence: Evidence, paths: list[str]) -> Fix:
    if len(paths) == 1 and paths[0].rpartition("/")[2].startswith(".env"):
        whole = f"{evidence.git.within if evidence.git else ''}{paths[0]}"
        return Fix(
            do="If the file must leave the history as well: everyone has to clone anew afterwards",
            command=f"git filter-repo --invert-paths --path {shell_path(whole)}",
        )
    return Fix(
        do="If it must leave the history as well, list the old values in a file outside the repository: everyone has "
        "to clone anew afterwards",
        command="git filter-repo --replace-text ../old-values.txt",
    )
