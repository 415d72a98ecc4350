"""Gathers the evidence: one walk over the files, one look into each, one question to git, one pass over its history."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agentguard.detect.files import FilePatterns
from agentguard.detect.rules import CredentialType
from agentguard.errors import AgentGuardError, GitError
from agentguard.model.at_rest import ScanResult, SecretAtRest, Unread
from agentguard.posture.catalogue import Catalogue
from agentguard.posture.evidence import Evidence, GitFacts, Inline, Kept, Reference
from agentguard.posture.git_facts import git_facts
from agentguard.posture.reading import FileReader, unread_home
from agentguard.posture.tree import SeenFile, Tree

_FEW = 6

History = Callable[[Path], ScanResult]
"""Scans the whole history of the repository that a folder lies in. Raises GitError or WorkerLostError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be looked at."""

    root: Path
    home: Path | None = None
    """The home folder, where it was asked for."""
    older_than_days: int = 90
    excluded: frozenset[str] = frozenset()
    """Real paths of folders that are the guard's own."""
    first_seen: Mapping[str, int] = field(default_factory=dict)
    """Fingerprint → ns since the epoch at which a guard of this home first met it."""
    rotated: frozenset[str] = frozenset()
    """Fingerprints of keys that were replaced: spent wherever they still stand."""
    now_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What is known before anything is looked at: the files of `policies/`."""

    catalogue: Catalogue
    patterns: FilePatterns
    types: Sequence[CredentialType]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """The evidence, and how much of what there is it covers."""

    evidence: Evidence
    at_rest: tuple[SecretAtRest, ...]
    """Every place of every credential, those that were replaced, too: for the inventory."""
    opened: frozenset[str]
    """Absolute paths of the files that were looked into, and could be."""
    files: int
    commits: int
    unread: tuple[Unread, ...]
    notes: tuple[str, ...]


class Look:
    """One look.

    Args:
        history: None leaves the history out.
        on_file: told how many files were opened so far.
    """

    def __init__(
        self,
        question: Question,
        knowledge: Knowledge,
        reader: FileReader,
        *,
        history: History | None,
        on_file: Callable[[int], object] = lambda _count: None,
    ) -> None:
        self._question = question
        self._reader = reader
        self._tree = Tree(knowledge.catalogue, knowledge.patterns, question.excluded)
        self._types = {kind.id: kind for kind in knowledge.types}
        self._history = history
        self._on_file = on_file
        self._files: list[SeenFile] = []
        self._kept: list[Kept] = []
        self._allowed: list[SecretAtRest] = []
        self._inline: list[Inline] = []
        self._references: list[Reference] = []
        self._unread: list[Unread] = []
        self._notes: list[str] = []
        self._opened = 0
        self._whole: list[str] = []

    def run(self) -> Looked:
        """Everything there is to see. What cannot be seen is told, and never stops the rest."""
        question = self._question
        for file in self._tree.project(question.root):
            self._take(file)
        git = self._ask_git()
        self._left_out(git)
        if question.home is not None:
            self._home(question.home)
        self._unread += [Unread(path=path, reason=reason) for path, reason in self._tree.unread]
        past, commits = self._look_back() if git else ((), 0)
        spent = question.rotated
        evidence = Evidence(
            root=question.root,
            files=tuple(self._files),
            kept=tuple(one for one in self._kept if one.match.fingerprint not in spent),
            past=tuple(one for one in past if one.match.fingerprint not in spent and not one.match.public),
            inline=tuple(one for one in self._inline if one.kept.match.fingerprint not in spent),
            references=tuple(self._references),
            git=git,
            types=self._types,
            first_seen=question.first_seen,
            now_ns=question.now_ns,
            older_than_days=question.older_than_days,
        )
        return Looked(
            evidence=evidence,
            at_rest=(*(one.secret for one in self._kept), *self._allowed, *past),
            opened=frozenset(self._whole),
            files=self._opened,
            commits=commits,
            unread=tuple(self._unread),
            notes=tuple(self._notes),
        )

    def _home(self, home: Path) -> None:
        """What lies in the project was looked at already."""
        known = {file.path for file in self._files}
        for file in self._tree.home(home):
            if file.path not in known:
                self._take(file)

    def _take(self, file: SeenFile) -> None:
        if unread_home(file):
            self._files.append(file)
            return
        self._opened += 1
        self._on_file(self._opened)
        seen = self._reader.look(file)
        self._files.append(file)
        self._kept += seen.kept
        self._allowed += seen.allowed
        known = {one.match.fingerprint for one in seen.kept}
        self._inline += seen.inline
        self._kept += [one.kept for one in seen.inline if one.kept.match.fingerprint not in known]
        self._references += seen.references
        if not seen.unread:
            self._whole.append(file.path)
        else:
            self._unread.append(Unread(path=file.name, reason=seen.unread))

    def _ask_git(self) -> GitFacts | None:
        """None: there is no repository, or git cannot tell."""
        within = self._tree.repositories
        try:
            git = git_facts(self._question.root, within)
        except GitError as error:
            self._unread.append(Unread(path=".git", reason=str(error)))
            return None
        if git is None:
            self._notes.append("It is no git repository: nothing is said of what is tracked, ignored or committed.")
        elif within and self._history is not None:
            self._notes.append(f"The histories of repositories within it were left out: {_few(within)}.")
        return git

    def _left_out(self, git: GitFacts | None) -> None:
        """Folders that hold generated files are not entered; what is tracked in them is looked at all the same."""
        if not self._tree.left_out:
            return
        top = os.path.realpath(self._question.root)
        known = {file.name for file in self._files}
        for name in sorted((git.tracked if git else frozenset()) - known):
            file = self._tree.file(top, name)
            if file is not None:
                self._take(file)
        tracked = ", but for what is tracked in them" if git else ""
        self._notes.append(f"Folders of these names were not entered{tracked}: {_few(sorted(self._tree.left_out))}.")

    def _look_back(self) -> tuple[tuple[SecretAtRest, ...], int]:
        if self._history is None:
            self._notes.append("The git history was left out (--no-history).")
            return (), 0
        try:
            result = self._history(self._question.root)
        except AgentGuardError as error:
            self._unread.append(Unread(path=".git", reason=str(error)))
            return (), 0
        self._unread += result.unread
        self._notes += result.notes
        return result.found, result.commits


def _few(names: list[str]) -> str:
    return ", ".join(names[:_FEW]) + (f" and {len(names) - _FEW} more" if len(names) > _FEW else "")
