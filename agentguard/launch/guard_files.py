"""The guard's own files: its keys, what it keeps and what it obeys. An agent has no business with them.

Who opens them is seen as with any secret file. A write, a removal or a rename is not held by the filter, so the files
themselves are looked at, about once a second: the kernel sets a file's ctime at every change, and nobody else can.
What a guard writes in its ordinary work (the database's content, the register) is no change here.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from agentguard.birth import birth_time_ns
from agentguard.config import Home
from agentguard.judge.load import REPOSITORY_POLICY, TRUST_FILE, find_repository_policy
from agentguard.model.observation import ChangeObservation
from agentguard.model.secret import GUARD_FILE, GUARD_KEY, SecretFile

_MOST_BYTES = 1 << 20
"""Of a file whose content is compared: keys and policies are far smaller."""
_MODE = 0o177
"""What of a file's mode counts: who else may do what, and whether its owner may run it (git passes over a hook that is
not executable)."""
_SETTLED_NS = 300_000_000
"""Who writes a file opens it, empties it and fills it: one change."""


@dataclass(frozen=True, slots=True)
class GuardFile:
    """One of them."""

    path: Path
    kind: str
    """guard-key, or guard-file."""
    content: bool
    """Only the guard's user changes what it says; else guards write to it, and it must only stay what it is."""
    read_by_all: bool = False
    """Part of the repository, or of what the tree must read: only changes are told."""
    part: re.Pattern[bytes] | None = None
    """Of its content only what this finds counts: without any, it is as if the file were not there."""


@dataclass(frozen=True, slots=True)
class _Seen:
    ctime_ns: int
    inode: int
    state: tuple[object, ...]
    """Equal as long as nothing that matters has changed."""


def guard_files(home: Home, workspace: Path, run_folder: Path) -> tuple[GuardFile, ...]:
    """All of them, there or not, but for those in repositories (`agentguard.launch.git_gate`)."""
    keys = [GuardFile(home.root / name, GUARD_KEY, True) for name in ("fingerprint.key", "chain.key")]
    obeyed = [GuardFile(path, GUARD_FILE, True) for path in (home.policy, home.root / TRUST_FILE, home.notify)]
    kept = [GuardFile(path, GUARD_FILE, False) for path in (home.database, home.log, home.looks, home.notified)]
    repository = find_repository_policy(workspace) or workspace / REPOSITORY_POLICY
    open_to_all = [GuardFile(repository, GUARD_FILE, True, True)]
    needed = [
        GuardFile(path, GUARD_FILE, False, True)
        for path in sorted(run_folder.iterdir())
        if path.is_file() and not path.is_symlink()
    ]
    return (*keys, *obeyed, *kept, *open_to_all, *needed)


class GuardWatch:
    """Of one session. For one thread: the supervisor's."""

    def __init__(
        self, files: Iterable[GuardFile], emit: Callable[[ChangeObservation], object], clock: Callable[[], int]
    ) -> None:
        self._emit = emit
        self._clock = clock
        self._files = {file: _look(file, None) for file in files}

    def entries(self) -> list[SecretFile]:
        """For the table of secret files: those that nobody but the guard reads, as far as they are there."""
        found = (_entry(file) for file in self._files if not file.read_by_all)
        return [entry for entry in found if entry is not None]

    def check(self, *, final: bool = False) -> list[SecretFile]:
        """Tell what has changed since the last time. Returns entries for files that are new or were replaced.

        What is being written just now waits for the next time, unless this is the last.
        """
        fresh: list[SecretFile] = []
        for file, before in self._files.items():
            now = _look(file, before)
            if now is not before and now is not None and not final and self._clock() - now.ctime_ns < _SETTLED_NS:
                continue
            self._files[file] = now
            if now is None or before is None or now.inode != before.inode:
                entry = None if file.read_by_all else _entry(file)
                fresh += [entry] if entry is not None else []
            if _differs(file, before, now):
                self._tell(file, now)
        return fresh

    def _tell(self, file: GuardFile, now: _Seen | None) -> None:
        noticed = self._clock()
        self._emit(
            ChangeObservation(
                time_ns=min(now.ctime_ns, noticed) if now else noticed,
                sensor="agentguard",
                path=str(file.path),
                kind=file.kind,
                removed=now is None,
            )
        )


def _differs(file: GuardFile, before: _Seen | None, now: _Seen | None) -> bool:
    if before is None and now is not None:
        return file.content  # a guard makes its database and its log by itself
    return (before and before.state) != (now and now.state)


def _look(file: GuardFile, before: _Seen | None) -> _Seen | None:
    """None when it is not there."""
    try:
        info = os.lstat(file.path)
    except OSError:
        return None
    if before is not None and (before.ctime_ns, before.inode) == (info.st_ctime_ns, info.st_ino):
        return before
    what: object = (info.st_dev, info.st_ino)
    if file.content:
        what = _digest(file)
        if file.part and not what:
            return None
    return _Seen(info.st_ctime_ns, info.st_ino, (stat.S_IFMT(info.st_mode), info.st_mode & _MODE, what))


def _digest(file: GuardFile) -> str:
    """Of what it says; "" when it cannot be read, or says nothing that counts."""
    try:
        descriptor = os.open(file.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as opened:
            data = opened.read(_MOST_BYTES)
    except OSError:
        return ""
    if file.part:
        data = b"\n".join(found[0] for found in file.part.finditer(data))
        if not data:
            return ""
    return hashlib.sha256(data).hexdigest()


def _entry(file: GuardFile) -> SecretFile | None:
    try:
        info = os.stat(file.path)
    except OSError:
        return None
    path = str(file.path)
    return SecretFile(
        path=path, device=info.st_dev, inode=info.st_ino, birth_time_ns=birth_time_ns(path), kind=file.kind
    )
