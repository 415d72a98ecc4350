"""The files that are looked at: all of a project's own, and the known places of the home folder where that is asked."""

from __future__ import annotations

import glob
import os
import stat
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from agentguard.detect.files import FilePatterns
from agentguard.detect.inventory import is_folder
from agentguard.model.secret import GUARD_KINDS
from agentguard.posture.catalogue import ELSEWHERE, Catalogue

_GIT = ".git"
MOST_FILES = 500_000
MOST_OF_A_PLACE = 20_000
"""Files and folders below one known place of the home folder: an agent's transcripts are many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFile:
    """A regular file, not opened yet."""

    path: str
    """Absolute."""
    name: str
    """Relative to the project, or `~/...`."""
    place: str
    """`Catalogue.place`."""
    kind: str
    """Id of the pattern in policies/files.yaml that names it as a secret file; "" for none."""
    mode: int
    owner: int
    size: int
    modified: float
    """s since the epoch."""
    identity: tuple[int, int] = (0, 0)
    """Device and inode."""
    at_home: bool = False

    @property
    def is_secret_file(self) -> bool:
        """Made to hold secrets: nothing is wrong with a key that lies in it."""
        return bool(self.kind) and self.place == ELSEWHERE


class Tree:
    """Lists files. What could not be listed is in `unread` afterwards.

    Args:
        catalogue: which places there are.
        patterns: which files are secret by their names, and which folders are another tool's own.
        excluded: real paths of folders that are not entered (the guard's own).
    """

    def __init__(self, catalogue: Catalogue, patterns: FilePatterns, excluded: frozenset[str] = frozenset()) -> None:
        self._catalogue = catalogue
        self._patterns = patterns
        self._excluded = excluded
        self._skipped = patterns.skip_directories | patterns.content.skip_directories
        self.unread: list[tuple[str, str]] = []
        self.repositories: list[str] = []
        """Folders below the project that are repositories of their own (submodules, clones), relative to it."""
        self.left_out: set[str] = set()
        """Names of folders that were not entered: large, generated, or another tool's own."""

    def project(self, root: Path) -> Iterator[SeenFile]:
        """Everything below `root`, breadth first. Links are not followed: what they lead to has a path of its own."""
        top = os.path.realpath(root)
        queue = deque([top])
        left = MOST_FILES
        while queue and left:
            folder = queue.popleft()
            for entry in self._list(folder, top):
                if entry.name == _GIT:
                    yield from self._repository(top, folder)
                elif is_folder(entry):
                    self._enter(entry, queue)
                elif left and (seen := self.file(top, os.path.relpath(entry.path, top))) is not None:
                    left -= 1
                    yield seen
        if queue:
            self.unread.append((".", f"it has more than {MOST_FILES:,} files"))

    def file(self, root: str, name: str) -> SeenFile | None:
        """One file of the project; None when it is gone, or no regular file."""
        return self._seen(os.path.join(root, name), name)

    def _repository(self, top: str, folder: str) -> Iterator[SeenFile]:
        """Of its own files the configuration alone: the URLs of remotes stand there."""
        if folder != top:
            self.repositories.append(os.path.relpath(folder, top))
        configuration = self.file(top, os.path.relpath(os.path.join(folder, _GIT, "config"), top))
        if configuration is not None:
            yield configuration

    def home(self, home: Path) -> Iterator[SeenFile]:
        """The known places of a home folder; nothing else of it is listed."""
        top = os.path.realpath(home)
        globs = dict.fromkeys([*self._catalogue.home_globs(), *(one for one, _ in self._patterns.home_globs())])
        found: set[str] = set()
        for below in globs:
            matches = _expand(top, below)
            for path in islice(matches, MOST_OF_A_PLACE):
                if path not in found and (seen := self._seen(path, f"~/{os.path.relpath(path, top)}", at_home=True)):
                    found.add(path)
                    yield seen
            if next(matches, None) is not None:
                self.unread.append((f"~/{below}", f"only {MOST_OF_A_PLACE:,} of its files were looked at"))

    def _enter(self, entry: os.DirEntry[str], queue: deque[str]) -> None:
        if entry.name in self._skipped:
            self.left_out.add(entry.name)
        elif entry.path not in self._excluded:
            queue.append(entry.path)

    def _list(self, folder: str, top: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self.unread.append((os.path.relpath(folder, top), error.strerror or type(error).__name__))
            return []

    def _seen(self, path: str, name: str, *, at_home: bool = False) -> SeenFile | None:
        try:
            info = os.lstat(path)
        except (OSError, ValueError):
            return None  # it went away
        if not stat.S_ISREG(info.st_mode):
            return None
        named = self._patterns.match_name(path)
        if named is not None and named.id in GUARD_KINDS:
            return None
        return SeenFile(
            path=path,
            name=name,
            place=self._catalogue.place(path),
            kind=named.id if named else "",
            mode=stat.S_IMODE(info.st_mode),
            owner=info.st_uid,
            size=info.st_size,
            modified=info.st_mtime,
            identity=(info.st_dev, info.st_ino),
            at_home=at_home,
        )


def _expand(top: str, below: str) -> Iterator[str]:
    pattern = os.path.join(glob.escape(top), below)
    return glob.iglob(pattern, recursive=True, include_hidden=True)  # noqa: PTH207 (names that are no UTF-8 stay whole)
