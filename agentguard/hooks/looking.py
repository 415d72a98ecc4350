"""What the gate looks with, and what it has found."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace

from agentguard.detect.confirm import Engine
from agentguard.detect.file_scan import FileScanner
from agentguard.detect.fingerprint import Fingerprinter
from agentguard.detect.locator import Locator
from agentguard.detect.rules import CredentialType
from agentguard.hooks.compiled import compiled_types
from agentguard.hooks.git_pipe import GitPipe
from agentguard.hooks.push import by_commit
from agentguard.model.at_rest import Commit, SecretAtRest, Unread
from agentguard.scan.patch import files_of
from agentguard.scan.staged import find_added

MOST_BYTES = 32 << 20
"""Of what is staged, so that nobody waits long: `scan --staged` has no such bound."""
MOST_OF_PUSH = 128 << 20
"""Of the commits that are pushed."""
_MOST_OF_ONE = 4 << 20
"""Of one file that git shows no lines of: a binary one, or one of 8 MB and more."""


class Looking:
    """At one commit or push.

    Args:
        home: AgentGuard's home folder.

    Raises:
        PolicyError: the credential types are invalid.
        OSError: they cannot be read.
    """

    def __init__(self, home: str) -> None:
        self._types = compiled_types(_policies() + "/secrets.yaml", home + "/cache")
        self.found: list[SecretAtRest] = []
        """What stands in the way. A key that is made to be published does not."""
        self.unread: list[Unread] = []

    def types(self) -> dict[str, tuple[str, str]]:
        """(name, how to replace it) of each credential type, by its id."""
        return {kind.id: (kind.name, kind.rotation) for kind in self._types}

    def at_staged(self, diff: GitPipe) -> None:
        """At what a `git diff --cached` tells.

        Raises:
            GitError: it failed.
        """
        patch, whole = diff.read(MOST_BYTES)
        scanner = self._scanner()
        self._add(self._in_patch(scanner, patch))
        if not whole:
            self.unread.append(Unread(path="the rest of what is staged", reason=f"more than {MOST_BYTES >> 20} MB"))
        if self.found:
            self._leave_out_merged(scanner)

    def at_commits(self, patches: GitPipe, messages: GitPipe) -> None:
        """At what two `git log` tell of the same commits. Of a credential each file is told once, with the commit that
        brought it in.

        Raises:
            GitError: one failed.
        """
        changes, whole = patches.read(MOST_OF_PUSH)
        texts, _ = messages.read(MOST_OF_PUSH)
        scanner = self._scanner()
        seen: set[tuple[str, str]] = set()
        for commit, found in self._in_commits(scanner, changes, texts):
            if (found.path, found.match.fingerprint) not in seen:
                seen.add((found.path, found.match.fingerprint))
                self._add([replace(found, commit=Commit(id=commit))])
        if not whole:
            self.unread.append(Unread(path="the later commits", reason=f"more than {MOST_OF_PUSH >> 20} MB of changes"))

    def _in_commits(self, scanner: FileScanner, changes: bytes, texts: bytes) -> Iterator[tuple[str, SecretAtRest]]:
        for commit, patch in by_commit(changes):
            yield from ((commit, found) for found in self._in_patch(scanner, patch))
        for commit, text in by_commit(texts):
            yield from ((commit, found) for found in scanner.scan("the commit's message", text))

    def _in_patch(self, scanner: FileScanner, patch: bytes) -> Iterator[SecretAtRest]:
        git = _Bounded()
        for added in files_of(patch):
            yield from find_added(git, scanner, added)
            if git.cut:
                reason = f"only its first {_MOST_OF_ONE >> 20} MB"
                self.unread.append(Unread(path=os.fsdecode(added.path), reason=reason))
                git.cut = False

    def at_text(self, name: str, text: bytes) -> None:
        """At something else that goes along, a message say."""
        self._add(self._scanner().scan(name, text))

    def _add(self, found: Iterable[SecretAtRest]) -> None:
        self.found += (one for one in found if not one.match.public)

    def _leave_out_merged(self, scanner: FileScanner) -> None:
        """What the other side of a merge holds in the same file: it was committed there, and is not brought in here."""
        others = _merged_commits()
        for path in {one.path for one in self.found} if others else ():
            held = {known.match.fingerprint for data in _versions(path, others) for known in scanner.scan(path, data)}
            self.found = [one for one in self.found if one.path != path or one.match.fingerprint not in held]

    def _scanner(self) -> FileScanner:
        """Fingerprints here are only compared with each other: the home folder's key stays where it is."""
        engine = _engine(self._types)
        return FileScanner(Locator(self._types, engine, Fingerprinter(os.urandom(32))))


class _Bounded:
    """Runs git for whoever wants a whole file, and hands out the beginning of a large one."""

    def __init__(self) -> None:
        self.cut = False
        """Whether one was larger since this was last set to False."""

    def run(self, *arguments: str) -> bytes:
        """As `RunsGit.run`, up to the bound."""
        data, whole = GitPipe(*arguments).read(_MOST_OF_ONE)
        self.cut = self.cut or not whole
        return data


def _policies() -> str:
    """As `agentguard.paths.policies_dir`, without pathlib, which takes as long to import as git takes to compare."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    inside = package + "/policies"
    return inside if os.path.isdir(inside) else os.path.dirname(package) + "/policies"


def _engine(types: tuple[CredentialType, ...]) -> Engine:
    """Of those that find the same the one that is soonest done with a commit, its import and its start included."""
    try:
        from agentguard.detect.engine_ahocorasick import AhoCorasickEngine
    except ImportError:  # not for this machine
        from agentguard.detect.engine_python import PythonEngine

        return PythonEngine(types)
    return AhoCorasickEngine(types)


def _merged_commits() -> list[str]:
    """Of a merge that is being committed: the commits that are merged in."""
    path, _ = GitPipe("rev-parse", "--git-path", "MERGE_HEAD").read(_MOST_OF_ONE)
    try:
        with open(path.removesuffix(b"\n"), encoding="ascii") as file:
            return file.read().split()
    except FileNotFoundError:
        return []


def _versions(path: str, commits: list[str]) -> Iterator[bytes]:
    """A file as it is in each of the commits that have it."""
    for commit in commits:
        entry, _ = GitPipe("ls-tree", "-z", commit, "--", path).read(_MOST_OF_ONE)
        if entry:
            yield GitPipe("cat-file", "blob", entry.split()[2].decode()).read(_MOST_OF_ONE)[0]
