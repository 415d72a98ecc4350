"""What pre-commit has looked at, so that commit-msg of the same commit need not look at it again.

With an editor there are minutes between the two, and git has read the index before it comes up: what is staged
meanwhile is not committed. Still only the very file that was looked at counts as seen, by the same git.
"""

from __future__ import annotations

import os

from agentguard.detect.cache_file import read, write

Index = tuple[int, ...]
"""Of a file that git puts in place whole, and never changes: its device and inode, its size, when it was written and
put there (ns); and the process of git."""


def index_now() -> Index | None:
    """Of the commit under way; None where git does not say what it commits."""
    try:
        found = os.stat(os.environ["GIT_INDEX_FILE"])
    except (KeyError, OSError):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, os.getppid()


def remember(index: Index | None, home: str) -> None:
    """It was looked at, and nothing stands in the way; `index` is from before the look."""
    if index is not None:
        write(_file(home), index)


def was_seen(index: Index | None, home: str) -> bool:
    """Whether the last that was looked at in this home folder is this one."""
    return index is not None and read(_file(home)) == index


def _file(home: str) -> str:
    return home + "/cache/seen"
