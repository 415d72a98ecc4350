"""Which files there are: of a repository, those that git does not ignore; of any other folder, all."""

from __future__ import annotations

import errno
import fnmatch
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from agentguard.errors import GitError
from agentguard.model.at_rest import Unread
from agentguard.scan.git import Git

_GIT = ".git"
_CONFIG = "config"
"""Of a repository: its remotes may hold a password."""


class Walk:
    """The files of what was asked for. Symbolic links within it are not followed: what they lead to is a file of its
    own, or lies elsewhere.

    Args:
        ignored: also what git ignores.
        exclude: globs over a path or its last part; a folder that fits is not entered.
    """

    def __init__(self, *, ignored: bool = False, exclude: Sequence[str] = ()) -> None:
        self._ignored = ignored
        expressions = [fnmatch.translate(glob.rstrip("/")) for glob in exclude]
        self._excluded = re.compile("|".join(expressions)) if exclude else None
        self.notes: list[str] = []
        """What the user should know of it, a sentence each."""

    def files(self, root: Path) -> Iterator[str | Unread]:
        """Every regular file of a folder, or the one that `root` is; it may be a link itself. Called as one would type
        it: `src` gives `src/x.py`, and `.` gives `x.py`."""
        name = os.path.normpath(root)
        try:
            mode = os.stat(name).st_mode
        except (OSError, ValueError) as error:
            yield Unread(path=name, reason=reason_of(error))
            return
        if stat.S_ISREG(mode):
            yield os.path.realpath(name) if Path(name).is_symlink() else name
        elif not stat.S_ISDIR(mode):
            yield Unread(path=name, reason="neither a file nor a folder")
        else:
            folder = "" if name == "." else name
            git = Git(Path(folder))
            if self._ignored or git.ignores_folder():  # then all of it was asked for
                yield from self._everything(folder)
            else:
                yield from self._unignored(folder)
                self._note_ignored(git)

    def _unignored(self, folder: str) -> Iterator[str | Unread]:
        """What git would take in. It knows its own rules best."""
        try:
            listed = Git(Path(folder)).run("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        except GitError as error:
            if _in_repository(folder):
                self.notes.append(f"{folder or '.'}: {error}; so what git ignores was scanned, too.")
            yield from self._everything(folder)
            return
        yield from self._own(os.path.join(folder, _GIT, _CONFIG))
        for name in dict.fromkeys(os.fsdecode(listed).split("\0")):
            path = os.path.join(folder, name).rstrip("/") if name else ""
            if not path or self._is_excluded(path):
                continue
            mode = _mode(path)
            if stat.S_ISREG(mode):
                yield path
            elif stat.S_ISDIR(mode):  # a submodule, or a repository within this one
                yield from self._unignored(path)

    def _note_ignored(self, git: Git) -> None:
        """How much was left out: a `.env` that git ignores is where keys are expected, and not looked for."""
        try:
            listed = git.run("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
        except GitError:  # it was said before, or there is no repository
            return
        count = listed.count(b"\0")
        if count:
            entries = "a file or folder" if count == 1 else f"{count:,} files and folders"
            self.notes.append(f"What git ignores was not scanned ({entries}); --ignored scans it, too.")

    def _everything(self, folder: str) -> Iterator[str | Unread]:
        pending = [folder]
        while pending:
            at = pending.pop()
            try:
                with os.scandir(at or ".") as entries:
                    for entry in entries:
                        path = os.path.join(at, entry.name)
                        if self._excluded is not None and self._is_excluded(path):
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            if entry.name == _GIT:
                                yield from self._own(os.path.join(path, _CONFIG))
                            else:
                                pending.append(path)
                        elif entry.is_file(follow_symlinks=False):
                            yield path
            except OSError as error:
                yield Unread(path=at or ".", reason=reason_of(error))

    def _own(self, path: str) -> Iterator[str]:
        if stat.S_ISREG(_mode(path)) and not self._is_excluded(path):
            yield path

    def _is_excluded(self, path: str) -> bool:
        """Whether a glob fits it, its last part, or a folder that it lies in."""
        if self._excluded is None:
            return False
        fits = self._excluded.match
        parts = path.split("/")
        return any(fits(part) or fits("/".join(parts[: at + 1])) for at, part in enumerate(parts))


def reason_of(error: OSError | ValueError) -> str:
    """Why something cannot be opened, in words."""
    if not isinstance(error, OSError):
        return "not a path"
    if error.errno == errno.ELOOP:
        return "a symbolic link by now, or one that leads to itself"
    return error.strerror or type(error).__name__


def _in_repository(folder: str) -> bool:
    path = Path(folder).resolve()
    return any((at / _GIT).exists() for at in (path, *path.parents))


def _mode(path: str) -> int:
    """0 when it is gone: git lists what the index holds, too."""
    try:
        return os.lstat(path).st_mode
    except (OSError, ValueError):
        return 0
