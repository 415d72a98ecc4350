"""Puts the gate's hooks where git looks for them, keeps what stood there, and takes them out again."""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agentguard.errors import ConfigError
from agentguard.hooks.place import HOOKS, HookPlace, PlaceKind
from agentguard.hooks.scripts import (
    BEFORE,
    BEGIN,
    END,
    Program,
    is_ours,
    launcher,
    own_hook,
    program_of,
    tree_block,
)

_SHELL = re.compile(r"#![ \t]*\S*?(?:/|env[ \t]+)(?:ba|da|k|z)?sh\b")
_BLOCK = re.compile(rf"^{re.escape(BEGIN)}.*?^{re.escape(END)}\n", re.MULTILINE | re.DOTALL)
_MOVED = ".legacy"
"""Ending that the pre-commit framework gives to a hook that was there before it."""
_NEW_HOOK = "#!/bin/sh\n"
_HAND_ON = 'exec "${{0%/*}}/{hook}' + BEFORE + '" "$@"\n'


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to one file."""

    path: Path
    done: str
    """In words that may follow the path."""


def install(place: HookPlace, program: Program) -> list[Change]:
    """All hooks; those that are as they should be stay untouched. A hook that was there goes on being run, before ours.

    Raises:
        ConfigError: a file cannot be read or written, or a hook and its predecessor are both someone else's.
    """
    if place.kind is not PlaceKind.TREE:
        return [change for hook in HOOKS for change in _install_own(gate_path(place, hook), hook, program)]
    text = launcher(place, program)
    changes = [] if read(place.launcher) == text else [Change(place.launcher, "written")]
    _write(place.launcher, text)
    return [*changes, *(change for hook in HOOKS for change in _install_block(place.hook(hook), hook))]


def uninstall(place: HookPlace, *, even_changed: bool = False) -> list[Change]:
    """Everything of ours goes, and what stood there before comes back.

    Args:
        even_changed: also hooks that someone has edited since.

    Raises:
        ConfigError: a file cannot be read or written, or a hook was edited.
    """
    edited = [path for hook in HOOKS if is_edited(path := gate_path(place, hook), hook)]
    if edited and not even_changed:
        raise ConfigError(f"{edited[0]} was edited since it was installed; look at it, then use --force")
    changes = [change for hook in HOOKS for change in _remove(gate_path(place, hook), hook)]
    if read(place.launcher) is not None:
        with _told(place.launcher):
            place.launcher.unlink()
            place.launcher.parent.rmdir()
        changes.append(Change(place.launcher, "removed"))
    return changes


def gate_path(place: HookPlace, hook: str) -> Path:
    """Where the gate's hook stands, if it does: the pre-commit framework, installed over it, moves it and runs it."""
    path = place.hook(hook)
    moved = path.with_name(path.name + _MOVED)
    return moved if not _is_ours(path) and _is_ours(moved) else path


def read(path: Path) -> str | None:
    """A hook's text; None when there is none. A symbolic link is followed.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or type(error).__name__}") from None


def is_edited(path: Path, hook: str) -> bool:
    """Whether a hook of ours is not word for word what an installation writes.

    Raises:
        ConfigError: it cannot be read.
    """
    text = read(path)
    if text is None:
        return False
    if is_ours(text):
        program = program_of(text)
        return program is None or text != own_hook(hook, program)
    return BEGIN in text and tree_block(hook) not in text


def _is_ours(path: Path) -> bool:
    text = read(path)
    return text is not None and is_ours(text)


def _install_own(path: Path, hook: str, program: Program) -> Iterator[Change]:
    text, wanted = read(path), own_hook(hook, program)
    if text == wanted and os.access(path, os.X_OK):
        return
    if (text is not None and not is_ours(text)) or (text is None and path.is_symlink()):
        yield _put_aside(path)
    _write(path, wanted)
    yield Change(path, "written" if text is None or not is_ours(text) else "written anew")


def _install_block(path: Path, hook: str) -> Iterator[Change]:
    text, block = read(path), tree_block(hook)
    if text is not None and block in text:
        return
    if text is not None and BEGIN not in text and text.startswith("#!") and not _SHELL.match(text):
        yield _put_aside(path)
        _write(path, _NEW_HOOK + block + _HAND_ON.format(hook=hook))
        yield Change(path, "written")
        return
    clean = _BLOCK.sub("", text if text is not None else _NEW_HOOK)
    first, rest = clean.split("\n", 1) if clean.startswith("#!") and "\n" in clean else ("", clean)
    mode = stat.S_IMODE(path.stat().st_mode) if text is not None else 0o755
    _write(path, f"{first}\n{block}{rest}" if first else block + rest, mode)
    yield Change(path, "written" if text is None else "these lines put in at its top")


def _remove(path: Path, hook: str) -> Iterator[Change]:
    text = read(path)
    if text is None or not (is_ours(text) or BEGIN in text):
        return
    rest = "" if is_ours(text) else _BLOCK.sub("", text)
    if rest not in ("", _NEW_HOOK, _NEW_HOOK + _HAND_ON.format(hook=hook)):
        _write(path, rest, stat.S_IMODE(path.stat().st_mode))
        yield Change(path, "our lines taken out")
        return
    older = before(path)
    with _told(path):
        if older.exists() or older.is_symlink():
            older.replace(path)
            yield Change(path, "is again what stood there before")
        else:
            path.unlink()
            yield Change(path, "removed")


def _put_aside(path: Path) -> Change:
    older = before(path)
    if older.exists() or older.is_symlink():
        raise ConfigError(f"{path} and {older} are both not ours: keep one of them, then install again")
    with _told(path):
        path.replace(older)
    return Change(older, f"is what {path.name} was; it goes on being run, before the gate")


def before(path: Path) -> Path:
    """Where the hook is that stood at `path` before the gate's."""
    return path.with_name(path.name.removesuffix(_MOVED) + BEFORE)


def _write(path: Path, text: str, mode: int = 0o755) -> None:
    """Whole or not at all: a commit may be under way."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        target = path.resolve() if path.is_symlink() else path
        try:
            aside.write_text(text, encoding="utf-8", errors="surrogateescape")
            aside.chmod(mode)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What goes wrong, as an error with the path in it."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"cannot change {path}: {error.strerror or type(error).__name__}") from None
