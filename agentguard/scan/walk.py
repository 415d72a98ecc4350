"""Which files there are: of a repository, those that git does not ignore; of any other folder, all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agentguard.errors import GitError
from agentguard.model.at_rest import Unread
from agentguard.scan.git import Git

_GIT = ".git"


@dataclass(frozen=True, slots=True)
class File:
    """One file to look into."""

    path: str
    """Where it lies."""
    name: str
    """What it is called in the results: relative to what was scanned."""


def walk(root: Path, *, ignored: bool = False) -> Iterator[File | Unread]:
    """Every regular file of a folder, or the one that `root` is. Symbolic links in it are not followed.

    Args:
        root: what was asked for; it may be a link itself.
        ignored: also what git ignores.
    """
    try:
        info = root.stat()
    except (OSError, ValueError) as error:
        yield Unread(path=str(root), reason=_reason(error))
        return
    if stat.S_ISREG(info.st_mode):
        yield File(str(root), str(root))
    elif stat.S_ISDIR(info.st_mode):
        yield from _everything(str(root)) if ignored else _of_folder(str(root))
    else:
        yield Unread(path=str(root), reason="neither a file nor a folder")


def _of_folder(folder: str) -> Iterator[File | Unread]:
    git = Git(Path(folder))
    try:
        listed = git.run("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    except GitError as error:
        if _in_repository(folder):
            yield Unread(path=folder, reason=f"{error}; all of it is scanned, with what git ignores")
        yield from _everything(folder)
        return
    for name in dict.fromkeys(os.fsdecode(listed).split("\0")):
        path = os.path.join(folder, name)
        mode = _mode(path) if name else 0
        if stat.S_ISDIR(mode):  # a repository within: a submodule, or one of its own
            yield from _of_folder(path.rstrip("/"))
        elif stat.S_ISREG(mode):
            yield File(path, path)


def _everything(folder: str) -> Iterator[File | Unread]:
    pending = [folder]
    while pending:
        at = pending.pop()
        try:
            with os.scandir(at) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name != _GIT:
                            pending.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        yield File(entry.path, entry.path)
        except OSError as error:
            yield Unread(path=at, reason=_reason(error))


def _in_repository(folder: str) -> bool:
    path = Path(folder).resolve()
    return any((at / _GIT).exists() for at in (path, *path.parents))


def _mode(path: str) -> int:
    """0 when it is gone: git lists what the index holds, too."""
    try:
        return os.lstat(path).st_mode
    except (OSError, ValueError):
        return 0


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else "not a path"
