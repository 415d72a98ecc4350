"""The one table that says which files are secret, kept live while sensors ask it at every open.

Readers take no lock: each of their answers is one dictionary look-up, which is atomic. Writers take turns.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from threading import Lock
from typing import Protocol

from agentguard.detect.files import FilePattern, FilePatterns
from agentguard.model.secret import CONTENT_KIND, GUARD_KINDS, NameFilter, SecretFile


class Follower(Protocol):
    """Is told of each change, one at a time and in order; must return at once. A replaced entry is `added` again."""

    def added(self, file: SecretFile) -> None: ...
    def discarded(self, device: int, inode: int) -> None: ...


class SecretTable:
    """`(device, inode)` → `SecretFile`. One entry an inode: a hard link is the same file."""

    def __init__(self, patterns: FilePatterns, files: Iterable[SecretFile] = ()) -> None:
        self._patterns = patterns
        self._lock = Lock()
        self._by_id: dict[tuple[int, int], SecretFile] = {}
        self._followers: list[Follower] = []
        self._content_paths: set[str] = set()
        self._content_names: set[str] = set()
        for file in files:
            self.add(file)

    def __len__(self) -> int:
        return len(self._by_id)

    def lookup(self, device: int, inode: int) -> SecretFile | None:
        """The entry of this inode. An inode number is used again: compare `birth_time_ns` when both are known."""
        return self._by_id.get((device, inode))

    def match_name(self, path: str) -> FilePattern | None:
        """The pattern that names this path, for a file that is not (yet) in the table."""
        return self._patterns.match_name(path)

    def known_name(self, name: str) -> bool:
        """Whether a file of this name was ever secret for what it held: `known_path` says more, and costs more."""
        return name in self._content_names

    def known_path(self, path: str) -> bool:
        """Whether the file at this resolved path was ever secret for what it held; another may be in its place now."""
        return path in self._content_paths

    @property
    def content_places(self) -> int:
        """How many places there are that `known_path` knows."""
        return len(self._content_paths)

    def add(self, file: SecretFile) -> bool:
        """Enter or replace the entry of this inode. True when the table has changed."""
        key = (file.device, file.inode)
        with self._lock:
            if self._by_id.get(key) == file:
                return False
            self._by_id[key] = file
            if file.kind == CONTENT_KIND:
                self._content_paths.add(file.path)
                self._content_names.add(os.path.basename(file.path))  # noqa: PTH119 (names that are no UTF-8 stay whole)
            for follower in self._followers:
                follower.added(file)
            return True

    def discard(self, device: int, inode: int) -> None:
        """Forget an inode, because it is gone or is another file now."""
        with self._lock:
            if self._by_id.pop((device, inode), None) is not None:
                for follower in self._followers:
                    follower.discarded(device, inode)

    def at_path(self, path: str) -> SecretFile | None:
        """The entry whose content counted when it stood at this path; None when there is none any more."""
        if path not in self._content_paths:
            return None
        return next((file for file in self.files() if file.path == path and file.kind == CONTENT_KIND), None)

    def follow(self, follower: Follower) -> None:
        """Tell it of every entry there is, and of each change from now on."""
        with self._lock:
            for file in self._by_id.values():
                follower.added(file)
            self._followers.append(follower)

    def name_filter(self) -> NameFilter:
        """The patterns' names, for a follower in C."""
        return self._patterns.name_filter()

    def files(self) -> tuple[SecretFile, ...]:
        """Every entry, oldest first, as of now."""
        with self._lock:
            return tuple(self._by_id.values())

    def directories(self) -> tuple[str, ...]:
        """The folders that hold those with a telling name, sorted: what a folder watcher must watch.

        The others may lie in a thousand folders, and the index follows their changes; in the guard's own folder the
        guards work all the time.
        """
        named = (file for file in self.files() if file.kind not in {CONTENT_KIND, *GUARD_KINDS})
        return tuple(sorted({os.path.dirname(file.path) or "/" for file in named}))
