"""Keys in the history of the repository, and whether they still stand in its tree."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from agentguard.model.at_rest import SecretAtRest
from agentguard.model.posture import Check, Fix, Place, Weakness
from agentguard.model.verdict import Severity
from agentguard.posture.evidence import Evidence, Kept
from agentguard.posture.words import counted, label, names, rotate, shell_path, where

_WHY = (
    "A deleted line is still in every clone, in forks and in the host's caches, and programs look for keys in public "
    "histories within minutes of a push."
)
_COMMIT_CHARS = 10


def check(evidence: Evidence) -> Iterator[Weakness]:
    """One a key that is gone from the tree, or that is still used where git does not look; one for all that still stand
    in the tree: other checks say what to do there, and that comes first."""
    kept = [one for one in evidence.kept if not one.file.at_home]
    used = {one.match.fingerprint: one for one in kept}
    tracked = {one.match.fingerprint for one in kept if evidence.is_tracked(one.file)}
    grouped: dict[str, list[SecretAtRest]] = {}
    for one in evidence.past:
        grouped.setdefault(one.match.fingerprint, []).append(one)
    standing = [found for fingerprint, found in grouped.items() if fingerprint in tracked]
    if standing:
        yield _still_standing(evidence, standing)
    for fingerprint, found in grouped.items():
        if fingerprint not in tracked:
            found.sort(key=lambda one: one.commit.time if one.commit else 0.0)
            yield _gone(evidence, found, used.get(fingerprint))


def _gone(evidence: Evidence, found: list[SecretAtRest], used: Kept | None) -> Weakness:
    match = next((one.match for one in found if one.match.name), found[0].match)
    paths = list(dict.fromkeys(one.path for one in found))
    today = f"is still in use, in {used.file.name}" if used else "is gone from the tree, not from the history"
    return Weakness(
        check=Check.GIT_HISTORY,
        severity=max((one.severity for one in found), key=lambda severity: severity.rank),
        title=f"{label(evidence, match)} was committed in {where(paths)}, and {today}",
        why=_WHY,
        fixes=(*rotate(evidence, [match], why="nothing else makes the history harmless"), _rewrite(evidence, paths)),
        places=tuple(_place(one) for one in found),
        type=match.type,
        name=match.name,
        preview=match.preview,
        fingerprint=match.fingerprint,
    )


def _still_standing(evidence: Evidence, standing: list[list[SecretAtRest]]) -> Weakness:
    told = names(evidence, [found[0].match for found in standing])
    many = len(standing) > 1
    them = f"{counted(len(standing), 'key')} ({told})" if many else told
    return Weakness(
        check=Check.GIT_HISTORY,
        severity=Severity.LOW,
        title=f"{them} {'are' if many else 'is'} in the history, and still {'stand' if many else 'stands'} in the tree",
        why=_WHY,
        fixes=(Fix(do=f"Take {'them' if many else 'it'} out of the tree first; replaced, the history is harmless"),),
        places=tuple(_place(one) for found in standing for one in found),
    )


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
