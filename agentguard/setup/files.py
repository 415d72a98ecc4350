"""Changes to files of the user's: planned first, shown on demand, then made one by one, each whole or not at all."""

from __future__ import annotations

import contextlib
import difflib
import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agentguard.errors import ConfigError


@dataclass(frozen=True, slots=True)
class FileChange:
    """Of what a file holds."""

    path: Path
    after: bytes | None
    """None: it goes."""

    @property
    def needed(self) -> bool:
        return read(self.path) != self.after

    def diff(self) -> list[str]:
        """What would change, as `diff -u` tells it; bytes that are no text are spelled out."""
        before, after = (_lines(text) for text in (read(self.path), self.after))
        old, new = (str(self.path) if lines is not None else os.devnull for lines in (before, after))
        return [line.rstrip("\n") for line in difflib.unified_diff(before or [], after or [], old, new, n=1)]

    def brief(self) -> str:
        """Instead of the diff, of a file that is ours alone: where it stands and how long it gets."""
        before, after = (len(_lines(text) or ()) for text in (read(self.path), self.after))
        return f"+{self.path}: {after:,} lines{f' in place of {before:,}' if before else ''}"

    def make(self) -> None:
        """Raises ConfigError: it cannot be changed."""
        with told(self.path):
            if self.after is None:
                self.path.unlink(missing_ok=True)
            else:
                _write(self.path, self.after)


@dataclass(frozen=True, slots=True)
class LinkChange:
    """Of where a symbolic link leads."""

    path: Path
    after: str | None
    """None: it goes."""

    @property
    def needed(self) -> bool:
        return link_of(self.path) != self.after

    def diff(self) -> list[str]:
        """As `FileChange.diff`."""
        before = link_of(self.path)
        gone = [f"-{self.path} -> {before}"] if before is not None else []
        return gone + ([f"+{self.path} -> {self.after}"] if self.after is not None else [])

    def make(self) -> None:
        """Raises ConfigError: it cannot be changed, or something that is no link has come there meanwhile."""
        with told(self.path):
            if self.after is None:
                self.path.unlink(missing_ok=True)
                return
            if self.path.exists() and not self.path.is_symlink():
                raise ConfigError(f"{self.path} is no link; move it away, then install again")
            self.path.parent.mkdir(parents=True, exist_ok=True)
            aside = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
            aside.symlink_to(self.after)
            aside.replace(self.path)


Change = FileChange | LinkChange


def read(path: Path) -> bytes | None:
    """None when there is none; a link is followed. Raises ConfigError: it cannot be read."""
    with told(path, "read"):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None


def link_of(path: Path) -> str | None:
    """Where a symbolic link leads, in its own words; None when there is none."""
    try:
        return os.readlink(path)
    except OSError:
        return None


def why_not_writable(path: Path) -> str:
    """Why a file of the user's cannot be changed; "" when it can. root could, but a file that its owner has made
    read-only, or that a package manager has put there (Nix, for one), is not meant to be."""
    target = path.resolve()
    folder = target.parent
    while not folder.exists():
        folder = folder.parent
    if target.exists() and not target.is_file():
        return f"{target} is no file"
    if target.exists() and not target.stat().st_mode & stat.S_IWUSR:
        return f"{target} is read-only"
    if not os.access(folder, os.W_OK) or (target.exists() and not os.access(target, os.W_OK)):
        return f"{target} cannot be written"
    return ""


def missing_folders(path: Path) -> list[Path]:
    """Folders that must be made before `path` can be, the deepest first."""
    return [folder for folder in path.parents if not folder.exists()]


def remove_empty(folders: list[Path]) -> None:
    """Those that we made and that hold nothing any more, the deepest first."""
    for folder in sorted(folders, key=lambda one: len(one.parts), reverse=True):
        with contextlib.suppress(OSError):
            folder.rmdir()


@contextlib.contextmanager
def told(path: Path, what: str = "change") -> Iterator[None]:
    """What goes wrong, as an error with the path in it."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"cannot {what} {path}: {error.strerror or type(error).__name__}") from None


def _write(path: Path, text: bytes) -> None:
    """With the mode it had. A link stays one: what it leads to is replaced."""
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    info = target.stat() if target.exists() else None
    if info is not None and info.st_nlink > 1:
        target.write_bytes(text)  # Another name of the file would keep the old text.
        return
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        aside.write_bytes(text)
        if info is not None:
            aside.chmod(stat.S_IMODE(info.st_mode))
            if (info.st_uid, info.st_gid) != (os.getuid(), os.getgid()):
                os.chown(aside, info.st_uid, info.st_gid)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def _lines(text: bytes | None) -> list[str] | None:
    return None if text is None else text.decode("utf-8", "backslashreplace").splitlines(keepends=True)
