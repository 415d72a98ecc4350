"""The scan: everything that was asked for is looked into, and told as one result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import IO

from agentguard.detect.rules import CredentialType
from agentguard.errors import GitError
from agentguard.model.at_rest import ScanResult, SecretAtRest, Unread
from agentguard.model.verdict import Severity
from agentguard.scan.git import Git
from agentguard.scan.history import (
    Range,
    commits,
    cut_short,
    dangling_blobs,
    look_at_blobs,
    look_at_commits,
)
from agentguard.scan.look import Looker
from agentguard.scan.pool import Pool, default_jobs
from agentguard.scan.setting import Setting
from agentguard.scan.staged import staged
from agentguard.scan.tally import Entry, Tally
from agentguard.scan.walk import Walk

_FIRST_BATCH = 512
"""Files; a tree that holds no more is looked into by one process, before two could have begun."""
_BATCH = 128
_LISTED = 500_000
"""Files that are listed before the first is looked into, so that it can be said how far the scan is."""
STDIN = "(stdin)"
"""`SecretAtRest.path` of what was read from there."""


Progress = Callable[[Tally, int, int], None]
"""Is told how far a scan is: what was found so far, and how many of how many files or commits are done; of 0, nobody
knows how many there are."""


def _untold(_tally: Tally, _done: int, _total: int) -> None:
    """Nobody wants to know."""


@dataclass(slots=True)
class Scan:
    """One scan. Its parts add up: `result` tells them all.

    Args:
        setting: what it works with.
        jobs: processes at once; 0: as many as there are processors.
        progress: is told how far it is.
    """

    setting: Setting
    jobs: int = 0
    progress: Progress = _untold
    notes: list[str] = field(default_factory=list)
    _tally: Tally = field(default_factory=Tally)
    _began: float = field(default_factory=time.monotonic)
    _pool: Pool = field(init=False)

    def __post_init__(self) -> None:
        """Raises PolicyError when the credential types are invalid."""
        self._pool = Pool(self.setting, self.jobs or default_jobs())

    @property
    def entries(self) -> set[Entry]:
        """Of all that was found, where the setting wants them."""
        return self._tally.entries

    @property
    def types(self) -> Sequence[CredentialType]:
        """The credential types that it knows."""
        return self._pool.looker.scanner.types

    def paths(self, roots: Sequence[Path], *, ignored: bool = False, exclude: Sequence[str] = ()) -> None:
        """Files, and folders with all that is in them; see `Walk`."""
        walk = Walk(ignored=ignored, exclude=exclude)
        files = self._readable(one for root in roots for one in walk.files(root))
        listed = list(islice(files, _LISTED))
        more = next(files, None)
        total = 0 if more else len(listed)
        following = iter(listed) if more is None else _chained(listed, more, files)
        for tally in self._pool.run(look_at_files, _batches(following)):
            self._tally.add(tally)
            self.progress(self._tally, self._tally.files, total)
        self.notes += walk.notes

    def staged(self, git: Git) -> None:
        """What is about to be committed.

        Raises:
            GitError: git cannot say what is.
        """
        looker = self._pool.looker
        for added in staged(git):
            looker.tally.files += 1
            if not added.blob:
                looker.added(added)
                continue
            try:
                looker.stream(added.name, BytesIO(git.run("cat-file", "blob", added.blob.decode())))
            except GitError as error:
                looker.tally.not_read(added.name, str(error))
        self._tally.add(looker.handed_over())

    def history(self, git: Git, wanted: Range) -> None:
        """What the commits of a repository brought in. Of a credential that a file held in several, the first is told.

        Raises:
            GitError: this is no repository, or git cannot list its commits.
        """
        batches = commits(git, wanted)
        total = sum(len(batch.ids) for batch in batches)
        seen: set[tuple[str, str, str]] = set()
        if reason := cut_short(git):
            self._tally.not_read(str(git.folder), reason)
        for tally in self._pool.run(look_at_commits, batches):
            self._add_new(tally, seen)
            self.progress(self._tally, self._tally.commits, total)
        if wanted.dangling:
            blobs = dangling_blobs(git)
            parts = [(git.folder, blobs[at : at + _BATCH]) for at in range(0, len(blobs), _BATCH)]
            for tally in self._pool.run(look_at_blobs, parts):
                self._add_new(tally, seen)

    def stream(self, file: IO[bytes], name: str = STDIN) -> None:
        """What can be read from a pipe.

        Raises:
            OSError: it cannot be read.
        """
        looker = self._pool.looker
        looker.stream(name, file)
        looker.tally.files += 1
        self._tally.add(looker.handed_over())

    def result(self, min_severity: Severity = Severity.LOW) -> ScanResult:
        """What was found of at least this severity, the worst first."""
        tally = self._tally
        found = [one for one in tally.found if one.severity.rank >= min_severity.rank]
        return ScanResult(
            found=tuple(sorted(found, key=_order)),
            passed=tuple(tally.passed),
            unread=tuple(dict.fromkeys(tally.unread)),
            notes=tuple(self.notes),
            files=tally.files,
            bytes=tally.bytes,
            commits=tally.commits,
            allowed=tally.allowed,
            known=tally.known,
            below=len(tally.found) - len(found),
            seconds=time.monotonic() - self._began,
        )

    def _readable(self, files: Iterable[str | Unread]) -> Iterator[str]:
        for one in files:
            if isinstance(one, Unread):
                self._tally.unread.append(one)
            else:
                yield one

    def _add_new(self, tally: Tally, seen: set[tuple[str, str, str]]) -> None:
        new = []
        for one in tally.found:
            identity = (one.path, one.match.type, one.match.fingerprint)
            if identity not in seen:
                seen.add(identity)
                new.append(one)
        tally.found = new
        self._tally.add(tally)


def look_at_files(looker: Looker, paths: Sequence[str]) -> None:
    """A batch of files."""
    for path in paths:
        looker.file(path)


def _batches(files: Iterator[str]) -> Iterator[list[str]]:
    size = _FIRST_BATCH
    while batch := list(islice(files, size)):
        yield batch
        size = _BATCH


def _chained(listed: list[str], more: str, files: Iterator[str]) -> Iterator[str]:
    yield from listed
    yield more
    yield from files


def _order(one: SecretAtRest) -> tuple[int, str, int, int]:
    return -one.severity.rank, one.path, one.line, one.column
