"""Walks a workspace and looks into its files: first the names of all, then the content of each.

It stops wherever its caller stops asking: the supervisor asks while it waits for the proxy anyway, the index worker
until the end, turning to what has changed in between.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Callable, Iterator

from agentguard.birth import birth_time_ns
from agentguard.detect.content import ContentJudge, Look
from agentguard.detect.files import FilePatterns
from agentguard.detect.inventory import is_folder, list_folder
from agentguard.detect.read_before import mount_flags, read_before
from agentguard.model.index import IndexProgress, ReadBefore, SecretFind
from agentguard.model.secret import CONTENT_KIND, SecretFile

_PSEUDO = frozenset({"/proc", "/sys", "/dev"})


class ContentWalk:
    """One workspace. For one thread.

    Args:
        patterns: names that say enough, folders that are not entered, and the limits.
        judge: looks into a file.
        since_ns: when the agent was started; 0 when it was not yet.
        excluded: real paths of folders that are the guard's own.
        known: files that are looked after already: they are passed over.
        on_folder: told of each folder before its names are read, so that a change from then on can be followed.
    """

    def __init__(  # noqa: PLR0913 (each has its own meaning, and most of them a default)
        self,
        patterns: FilePatterns,
        judge: ContentJudge,
        *,
        since_ns: int = 0,
        excluded: frozenset[str] = frozenset(),
        on_folder: Callable[[str], object] = lambda _path: None,
        known: Callable[[str], bool] = lambda _path: False,
    ) -> None:
        self._files = self._done = self._dropped = self._cut = self._bytes = 0
        self._listed = False
        self._patterns = patterns
        self._rules = patterns.content
        self._judge = judge
        self._since_ns = since_ns
        self._excluded = excluded | _PSEUDO
        self._skipped = patterns.skip_directories | self._rules.skip_directories
        self._on_folder = on_folder
        self._known = known
        self._flags: dict[int, int] = {}

    @property
    def progress(self) -> IndexProgress:
        """As of now."""
        return IndexProgress(
            files=self._files,
            done=self._done,
            listed=self._listed,
            dropped=self._dropped,
            cut=self._cut,
            bytes=self._bytes,
        )

    def run(self, root: str, *, changed_since_ns: int = 0) -> Iterator[SecretFind | None]:
        """Everything below `root`, breadth first; one step a folder, then one a file, so that it can be left anywhere.

        Args:
            root: real path of a folder.
            changed_since_ns: files whose status last changed before this are known and not read again.
        """
        names: deque[str] = deque()
        for files in self.folders(root):
            names.extend(files)
            yield None
        self._listed = True
        while names and self._bytes < self._rules.most_bytes:
            path = names.popleft()
            if not changed_since_ns or _changed(path) >= changed_since_ns:
                yield self.examine(path)
            self._done += 1

    def folders(self, root: str) -> Iterator[list[str]]:
        """Of each folder below `root`, itself included, the files that may be secret for what they hold."""
        queue = deque([root] if root not in self._excluded else [])
        while queue:
            folder = queue.popleft()
            self._on_folder(folder)
            files = []
            for entry in list_folder(folder):
                if is_folder(entry):
                    if self.enters(entry.path):
                        queue.append(entry.path)
                elif self._is_candidate(entry):
                    files.append(entry.path)
            room = max(0, self._rules.most_files - self._files)
            self._dropped += len(files[room:])
            self._files += len(files[:room])
            yield files[:room]

    def enters(self, folder: str) -> bool:
        """Whether this folder is looked into."""
        return folder.rpartition("/")[2] not in self._skipped and folder not in self._excluded

    def counts(self, path: str) -> bool:
        """Whether a file of this name is one that only its content can make secret."""
        patterns = self._patterns
        return patterns.content_counts(path) and patterns.match_name(path) is None and not self._known(path)

    def examine(self, path: str) -> SecretFind | None:
        """Look into one file. None when it holds no secret, or cannot be read."""
        seen = self._judge.look(path)
        self._bytes += seen.size
        self._cut += seen.cut
        info = seen.info
        if seen.look is not Look.HOLDS or info is None:
            return None
        file = SecretFile(
            path=path, device=info.st_dev, inode=info.st_ino, birth_time_ns=birth_time_ns(path), kind=CONTENT_KIND
        )
        return SecretFind(file=file, read=self._read_before(path, info), only_name=info.st_nlink == 1)

    def _read_before(self, path: str, info: os.stat_result) -> ReadBefore:
        if not self._since_ns:
            return ReadBefore.NO
        flags = self._flags.get(info.st_dev)
        if flags is None:
            flags = self._flags[info.st_dev] = mount_flags(path)
        return read_before(info, self._since_ns, flags)

    def _is_candidate(self, entry: os.DirEntry[str]) -> bool:
        try:
            return entry.is_file(follow_symlinks=False) and self.counts(entry.path)
        except OSError:
            return False


def _changed(path: str) -> int:
    """When its content, name or owner last changed; 0 when it is gone or no file."""
    try:
        info = os.lstat(path)
    except (OSError, ValueError):
        return 0
    return info.st_ctime_ns if stat.S_ISREG(info.st_mode) else 0
