"""Finds the secret files that exist when a session starts: a bounded walk of the workspace, and known places at home.

It only looks at names and inodes, and opens nothing: the agent waits for it. What a file of another name holds is for
`content_walk`.
"""

from __future__ import annotations

import glob
import os
import stat
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from agentguard.birth import birth_time_ns
from agentguard.detect.files import FilePattern, FilePatterns
from agentguard.model.secret import CONTENT_KIND, SecretFile

_MATCHES_A_GLOB = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where the walk stops. What lies beyond is still recognised by its name when it is opened."""

    entries: int = 200_000
    """Directory entries looked at."""
    depth: int = 12
    """Folders below the workspace."""
    seconds: float = 3.0


@dataclass(frozen=True, slots=True)
class Inventory:
    """What was found."""

    files: tuple[SecretFile, ...]
    """One an inode."""
    cut_short: str = ""
    """Why the walk ended early, in words; "" when it saw everything."""
    entries: int = 0


@dataclass(slots=True)
class _Walk:
    patterns: FilePatterns
    limits: Limits
    deadline: float
    found: dict[tuple[int, int], SecretFile] = field(default_factory=dict)
    entries: int = 0
    too_deep: int = 0
    """Folders that lay below the depth limit."""
    cut_short: str = ""


def inventory(
    patterns: FilePatterns,
    *,
    home: Path,
    workspace: Path,
    limits: Limits | None = None,
) -> Inventory:
    """Secret files of the workspace and of the home folder, by name. What cannot be listed is passed over."""
    bounds = limits or Limits()
    walk = _Walk(patterns, bounds, time.monotonic() + bounds.seconds)
    _known_places(walk, home)
    _workspace(walk, workspace)
    if walk.too_deep and not walk.cut_short:
        walk.cut_short = f"{walk.too_deep} folders more than {walk.limits.depth} deep were not entered"
    return Inventory(tuple(walk.found.values()), walk.cut_short, walk.entries)


def secret_file(path: str, pattern: FilePattern) -> SecretFile | None:
    """The table's entry for a path that `pattern` names, symbolic links followed; None when it is no regular file."""
    return _entry(path, pattern.id, pattern.expected_readers, pattern.agent)


def content_file(path: str) -> SecretFile | None:
    """The entry for a path whose content counts; None when it is no regular file."""
    return _entry(path, CONTENT_KIND)


def _entry(path: str, kind: str, readers: tuple[str, ...] = (), agent: str = "") -> SecretFile | None:
    try:
        real = os.path.realpath(path)
        info = os.stat(real)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(info.st_mode):
        return None
    return SecretFile(
        path=real,
        device=info.st_dev,
        inode=info.st_ino,
        birth_time_ns=birth_time_ns(real),
        kind=kind,
        expected_readers=readers,
        agent=agent,
    )


def _keep(walk: _Walk, file: SecretFile | None) -> None:
    if file is not None:
        walk.found.setdefault((file.device, file.inode), file)


def _known_places(walk: _Walk, home: Path) -> None:
    for below, pattern in walk.patterns.home_globs():
        for path in _expand(os.path.join(glob.escape(str(home)), below), walk.limits.depth):
            _keep_named(walk, path, pattern)
    for absolute, pattern in walk.patterns.absolute_globs():
        for path in _expand(absolute, walk.limits.depth):
            _keep_named(walk, path, pattern)
    for entry in list_folder(str(home)):
        walk.entries += 1
        named = walk.patterns.match_name(entry.path)
        if named is not None:
            _keep(walk, secret_file(entry.path, named))


def _keep_named(walk: _Walk, path: str, pattern: FilePattern) -> None:
    """What a glob found may still be excluded (`~/.ssh/*.pub`), or be named better by another pattern."""
    if walk.patterns.match_name(path) is not None:
        _keep(walk, secret_file(path, pattern))


def _expand(pattern: str, depth: int) -> Iterator[str]:
    if pattern.endswith("/**"):
        yield from islice(_below(pattern.removesuffix("/**"), depth), _MATCHES_A_GLOB)
    else:
        matches = glob.iglob(pattern, include_hidden=True)  # noqa: PTH207 (names that are no UTF-8 stay whole)
        yield from islice(matches, _MATCHES_A_GLOB)


def _below(folder: str, depth: int) -> Iterator[str]:
    for entry in list_folder(folder):
        if is_folder(entry):
            if depth > 0:
                yield from _below(entry.path, depth - 1)
        else:
            yield entry.path


def _workspace(walk: _Walk, workspace: Path) -> None:
    """Breadth first, so that a limit costs the depths and not the neighbours. Links to folders are not followed."""
    queue: deque[tuple[str, int]] = deque([(os.path.realpath(workspace), 0)])
    while queue and not walk.cut_short:
        folder, depth = queue.popleft()
        for entry in list_folder(folder):
            walk.entries += 1
            if walk.cut_short or _over(walk):
                break
            if not is_folder(entry):
                _file(walk, entry)
            elif entry.name in walk.patterns.skip_directories:
                continue
            elif depth < walk.limits.depth:
                queue.append((entry.path, depth + 1))
            else:
                walk.too_deep += 1


def _over(walk: _Walk) -> bool:
    if walk.entries > walk.limits.entries:
        walk.cut_short = f"more than {walk.limits.entries} files and folders"
    elif walk.entries % 256 == 0 and time.monotonic() > walk.deadline:
        walk.cut_short = f"it took more than {walk.limits.seconds:g} s"
    return bool(walk.cut_short)


def _file(walk: _Walk, entry: os.DirEntry[str]) -> None:
    named = walk.patterns.match_name(entry.path)
    if named is not None:
        _keep(walk, secret_file(entry.path, named))


def list_folder(folder: str) -> list[os.DirEntry[str]]:
    """Its entries; none when it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (OSError, ValueError):
        return []


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Links not followed."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False
