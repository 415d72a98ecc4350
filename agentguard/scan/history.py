"""What every commit of a repository brought in: all refs, stashes, merges; on request also what no ref leads to."""

from __future__ import annotations

import os
import re
import secrets
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from typing import IO

from agentguard.detect.file_scan import Placed, counts_in
from agentguard.errors import GitError
from agentguard.model.at_rest import MESSAGE, Commit
from agentguard.scan.git import Git
from agentguard.scan.git_options import FORMAT
from agentguard.scan.look import Looker
from agentguard.scan.patch import Added, files_of

_BATCH = 128
"""Commits of one git."""
_BLOCK = 1 << 20
_GATHERED = 256 << 10
"""Bytes of changes that are looked at together: most are a line or two."""
_HEADER = b"%H%x00%at%x00%an <%ae>%x00%B"
_DIFF = b"\ndiff --"


@dataclass(frozen=True, slots=True)
class CommitBatch:
    """Some commits of a repository, oldest first."""

    folder: Path
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """Which commits."""

    revisions: tuple[str, ...] = ()
    """As `git rev-list` takes them; () means all that refs, stashes and HEADs lead to."""
    dangling: bool = False
    """Also what only the reflog knows, or nothing at all."""


def commits(git: Git, wanted: Range) -> list[CommitBatch]:
    """In an order in which a parent comes before its children.

    Raises:
        GitError: this is no repository, or git cannot list them.
    """
    options, further = list(wanted.revisions), list[str]()
    if not options:
        options, further = ["--all"], _stashes(git)
        if wanted.dangling:
            options.append("--reflog")
            further += _unreachable(git, "commit")
    listing = "\n".join(further).encode()
    listed = git.run("rev-list", "--topo-order", "--reverse", *options, "--stdin", stdin=listing).decode()
    ids = tuple(listed.split())
    return [CommitBatch(git.folder, ids[at : at + _BATCH]) for at in range(0, len(ids), _BATCH)]


def dangling_blobs(git: Git) -> list[str]:
    """Object names of contents that no commit leads to: added to the index once, and never committed.

    Raises:
        GitError: git cannot tell.
    """
    blobs, orphans = _unreachable(git, "blob"), _unreachable(git, "commit")
    named = ("rev-list", "--objects", "--no-object-names", "--reflog", "--stdin", "--not", "--all")
    told = git.run(*named, stdin="\n".join(orphans).encode())
    return sorted(set(blobs) - set(told.decode().split()))


def cut_short(git: Git) -> str:
    """Why a history does not go back to its beginning, in words; "" when it does.

    Raises:
        GitError: this is no repository.
    """
    if git.run("rev-parse", "--is-shallow-repository").strip() != b"true":
        return ""
    return "a shallow clone: what came before its oldest commits is not here; `git fetch --unshallow` brings it"


def look_at_commits(looker: Looker, batch: CommitBatch, *, strictly: bool = False) -> None:
    """At what each commit of a batch brought in, and at what it says.

    Args:
        looker: looks, and is told what could not be looked at.
        batch: the commits.
        strictly: raise instead where git cannot show them all.

    Raises:
        GitError: it cannot.
    """
    marker = secrets.token_hex(16)
    form = f"--format=tformat:{marker}<{_HEADER.decode()}%x00{marker}>"
    walk = ("--no-walk=unsorted", "--diff-merges=dense-combined", "--no-renames", "--no-notes", "--no-mailmap")
    git = Git(batch.folder)
    gathered = _Gathered(looker, git)
    try:
        with git.stream("-c", "log.showRoot=true", "log", *walk, *FORMAT, form, *batch.ids, "--") as out:
            for commit, message, patch in _commits_of(out, marker.encode()):
                looker.tally.commits += message is not None
                if message:
                    gathered.add(commit, Added(os.fsencode(MESSAGE), message, ((1, 1),)))
                for added in files_of(patch):
                    looker.tally.files += 1
                    gathered.add(commit, added)
    except GitError as error:
        if strictly:
            raise
        looker.tally.not_read(f"{len(batch.ids)} commits from {batch.ids[0]} on", str(error))
    gathered.look()


def look_at_blobs(looker: Looker, batch: tuple[Path, Sequence[str]]) -> None:
    """At contents that no commit names."""
    folder, ids = batch
    for blob in ids:
        name = f"(dangling blob {blob})"
        try:
            looker.stream(name, BytesIO(Git(folder).run("cat-file", "blob", blob)))
        except GitError as error:
            looker.tally.not_read(name, str(error))


def _stashes(git: Git) -> list[str]:
    """Every entry of the stash: only its newest is a ref."""
    try:
        return git.run("rev-list", "--walk-reflogs", "refs/stash", "--").decode().split()
    except GitError:
        return []


def _unreachable(git: Git, kind: str) -> list[str]:
    """Object names of one kind."""
    listed = git.run("fsck", "--unreachable", "--no-reflogs", "--no-progress", "--connectivity-only").decode()
    return re.findall(rf"^unreachable {kind} ([0-9a-f]+)$", listed, re.MULTILINE)


def _commits_of(out: IO[bytes], marker: bytes) -> Iterator[tuple[Commit, bytes | None, bytes]]:
    """(commit, its message where it begins, some of its patch): a patch may be longer than memory, a file's part of it
    is not."""
    header = re.compile(marker + rb"<([0-9a-f]+)\x00([0-9]*)\x00([^\x00]*)\x00(.*?)\x00" + marker + rb">", re.DOTALL)
    commit = Commit(id="")
    for text in _whole_parts(out, marker):
        before, *rest = header.split(text)
        if before.strip():
            yield commit, None, before
        for at in range(0, len(rest), 5):
            name, time, author, message, patch = rest[at : at + 5]
            commit = Commit(id=name.decode(), author=author.decode("utf-8", "replace"), time=float(time or 0))
            yield commit, message, patch


def _whole_parts(out: IO[bytes], marker: bytes) -> Iterator[bytes]:
    """The output in pieces that end where a commit or a file's patch does."""
    begin, end = marker + b"<", marker + b">"
    waiting = bytearray()
    searched = 0
    while block := out.read(_BLOCK):
        waiting += block
        headed, closed = waiting.rfind(begin), waiting.rfind(end)
        cut = headed if headed > closed else waiting.rfind(_DIFF, max(closed, searched, 0)) + 1
        if cut > 0:
            yield bytes(waiting[:cut])
            del waiting[:cut]
            searched = 0
        else:
            searched = max(0, len(waiting) - len(_DIFF))
    yield bytes(waiting)


@dataclass(slots=True)
class _Gathered:
    """Changes that wait to be looked at together."""

    looker: Looker
    git: Git
    parts: list[tuple[Commit, Added]] = field(default_factory=list)
    size: int = 0

    def add(self, commit: Commit, added: Added) -> None:
        if added.blob:
            self.look()
            self._blob(commit, added)
        elif b"\0" in added.text:
            self.look()
            self.looker.added(added, commit)
        else:
            self.parts.append((commit, added))
            self.size += len(added.text)
            if self.size >= _GATHERED:
                self.look()

    def look(self) -> None:
        """At all that waits. What has no line in it, and what was not decoded, is nobody's: then at each part alone."""
        texts = [added.text if added.text.endswith(b"\n") else added.text + b"\n" for _, added in self.parts]
        finds = self.looker.text("", b"".join(texts))
        if finds.truncated or any(one.line == 0 for one in finds.placed):
            for commit, added in self.parts:
                self.looker.added(added, commit)
        elif finds.placed:
            self._share_out(finds.placed, [text.count(b"\n") for text in texts])
        self.parts, self.size = [], 0

    def _share_out(self, placed: Sequence[Placed], lines: Sequence[int]) -> None:
        """Each find goes to the part that its line is of; `lines` counts those of each part."""
        firsts = list(accumulate(lines, initial=1))
        for one in placed:
            at = bisect(firsts, one.line) - 1
            commit, added = self.parts[at]
            name = added.name
            if counts_in(name, one.located):
                line = added.line_in_file(one.line - firsts[at] + 1)
                self.looker.keep(name, replace(one, line=line), commit)

    def _blob(self, commit: Commit, added: Added) -> None:
        """A file that git takes for a binary one, or an archive."""
        name = added.name
        try:
            data = self.git.run("cat-file", "blob", added.blob.decode())
        except GitError as error:
            self.looker.tally.not_read(name, str(error))
            return
        self.looker.stream(name, BytesIO(data), commit)
