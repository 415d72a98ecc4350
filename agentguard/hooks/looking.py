"""What the gate looks with, and what it has found."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace

from agentguard.detect.compiled import CompiledTypes, compiled_types
from agentguard.detect.confirm import Engine
from agentguard.detect.file_scan import FileScanner
from agentguard.detect.fingerprint import Fingerprinter
from agentguard.detect.locator import Locator
from agentguard.detect.types_cache import secrets_yaml
from agentguard.hooks.git_pipe import GitPipe, blobs
from agentguard.hooks.plain import make_sieve
from agentguard.model.at_rest import SecretAtRest, Unread
from agentguard.scan.patch import Added, files_of

MOST_BYTES = 16 << 20
"""Of what is staged, so that nobody waits long; a push has no such bound."""
_MOST_UNPACKED = 64 << 20
"""Bytes that may come out of one archive."""
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
        self._types = compiled_types(secrets_yaml(), home + "/cache")
        make_sieve(self._types)
        self.found: list[SecretAtRest] = []
        """What stands in the way. A key that is made to be published does not."""
        self.unread: list[Unread] = []

    def types(self) -> dict[str, tuple[str, str]]:
        """(name, how to replace it) of each credential type, by its id."""
        return {kind.id: (kind.name, kind.rotation) for kind in self._types}

    def keywords(self) -> bytes:
        """A text in which every type's pattern is tried."""
        return "\n".join(word for kind in self._types for word in kind.keywords).encode()

    def at_staged(self, diff: GitPipe) -> None:
        """At what a `git diff --cached` tells.

        Raises:
            GitError: it failed.
        """
        patch, whole = diff.read(MOST_BYTES)
        scanner = self._scanner()
        files = list(files_of(patch))
        for added in files:
            self._add(_in_text(scanner, added))
        binary = [added for added in files if added.blob]
        if binary:
            self._at_blobs(scanner, binary, MOST_BYTES - len(patch))
        if not whole:
            self._say_not_read("the rest of what is staged", f"more than {MOST_BYTES >> 20} MB")
        if self.found:
            self._leave_out_merged(scanner)

    def _at_blobs(self, scanner: FileScanner, files: list[Added], room: int) -> None:
        """At files that git shows no lines of: archives are unpacked."""
        from io import BytesIO

        from agentguard.scan.look import Looker  # slow to import: it knows how to open archives

        looker = Looker(scanner, most_unpacked=_MOST_UNPACKED)
        contents = blobs([added.blob.decode() for added in files], _MOST_OF_ONE)
        for number, (added, (data, size)) in enumerate(zip(files, contents, strict=True)):
            if room < len(data):
                contents.close()
                self._say_not_read(added.name, f"{len(files) - number} binary files from here on were not looked at")
                break
            room -= len(data)
            looker.stream(added.name, BytesIO(data))
            told = looker.handed_over()
            self._add(told.found)
            if size > len(data):
                self._say_not_read(added.name, f"only its first {_MOST_OF_ONE >> 20} MB")
            else:
                self.unread += told.unread

    def _say_not_read(self, path: str, reason: str) -> None:
        self.unread.append(Unread(path=path, reason=reason))

    def at_commits(self, revisions: list[str]) -> None:
        """At what commits bring in, and at their messages. A credential is told once a file, with the commit that
        brought it in.

        Args:
            revisions: as `git rev-list` takes them.

        Raises:
            GitError: git cannot show them all.
        """
        from pathlib import Path  # nobody waits for a push as for a commit: what is slow to import may be

        from agentguard.scan.git import Git
        from agentguard.scan.history import Range, commits, look_at_commits
        from agentguard.scan.look import Looker

        looker = Looker(self._scanner(), most_unpacked=_MOST_UNPACKED)
        for batch in commits(Git(Path.cwd(), as_called=True), Range(tuple(revisions))):
            look_at_commits(looker, batch, strictly=True)
        self._add({(one.path, one.match.fingerprint): one for one in reversed(looker.tally.found)}.values())
        self.unread += looker.tally.unread

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


def _in_text(scanner: FileScanner, added: Added) -> Iterator[SecretAtRest]:
    """In the lines that came into a file, under their numbers in it."""
    for found in scanner.scan(added.name, added.text):
        yield replace(found, line=added.line_in_file(found.line)) if found.line else found


def _engine(types: CompiledTypes) -> Engine:
    """Of those that find the same the one that is soonest done with a commit, its import and its start included."""
    try:
        from agentguard.detect.engine_ahocorasick import AhoCorasickEngine
    except ImportError:  # not for this machine
        from agentguard.detect.engine_python import PythonEngine

        return PythonEngine(types)
    return AhoCorasickEngine(types, types.users)


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
            yield from (data for data, _ in blobs([entry.split()[2].decode()], _MOST_OF_ONE))
