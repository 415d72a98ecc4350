"""Sets of expressions, compiled by Hyperscan (Vectorscan) in block mode, for any number of threads; kept in a cache.

Its stream mode crashes in this binding; start-of-match tracking refuses long repeats.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import hyperscan

_DIGEST = 32
_SUFFIX = ".hsdb"
_LONGEST_TURN = 10.0
"""Seconds; compiling all types takes two of processor time."""
_PAUSE = 0.02
EVERY: int = hyperscan.HS_FLAG_DOTALL
ONCE: int = EVERY | hyperscan.HS_FLAG_SINGLEMATCH
"""Flags: every match is told, or one of each expression."""

Expression = tuple[bytes, int]
"""A pattern and its flags."""
OnMatch = Callable[[int, int, int, int, object], None]
"""Told of the index of an expression, 0, the end of the match, and twice of what does not matter."""


class ExpressionSet:
    """At least one expression.

    Args:
        expressions: told apart by their index.
        cache: a folder for the compiled set (a hundred expressions take a tenth of a second); None keeps none.
        name: of the set, among those in the folder.
    """

    def __init__(self, expressions: Sequence[Expression], cache: Path | None = None, name: str = "") -> None:
        self._database = _database(expressions, cache, name)
        self._local = threading.local()

    def scan(self, data: bytes, on_match: OnMatch) -> None:
        """Tell of the matches."""
        self._database.scan(data, match_event_handler=on_match, scratch=self._scratch())

    def matches(self, data: bytes) -> bool:
        """Whether there is one."""
        found: list[int] = []
        self.scan(data, lambda index, *_: found.append(index))
        return bool(found)

    def _scratch(self) -> Any:
        """A scratch space serves one scan at a time: each thread has its own."""
        scratch = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = hyperscan.Scratch(self._database)
        return scratch


def _database(expressions: Sequence[Expression], cache: Path | None, name: str) -> Any:
    """From the cache where it is sound; else compiled and cached."""
    if cache is None:
        return _compile(expressions)
    path = cache / f"{name}-{_cache_key(expressions)}{_SUFFIX}"
    loaded = _load(path)
    if loaded is not None:
        return loaded
    with _turn(path.with_name(f".{name}.lock")):
        loaded = _load(path)
        if loaded is not None:
            return loaded
        database = _compile(expressions)
        with contextlib.suppress(OSError):  # a cache that cannot be written costs a little time, nothing else
            _save(path, hyperscan.dumpb(database))
            _remove_others(path, name)
    return database


@contextlib.contextmanager
def _turn(lock: Path) -> Iterator[None]:
    """The processes of a session begin at once: one compiles, the others wait for what it keeps. Where there can be no
    lock, each compiles; so does one that has stepped back behind all others, which would make them wait for it."""
    if os.getpriority(os.PRIO_PROCESS, 0) > 0:
        yield
        return
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            stack.callback(os.close, descriptor)
            _take(descriptor)
        yield


def _take(descriptor: int) -> None:
    """A lock that is kept for longer than compiling takes is not one of ours, and is not waited for."""
    deadline = time.monotonic() + _LONGEST_TURN
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return None
            time.sleep(_PAUSE)


def _compile(expressions: Sequence[Expression]) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[pattern for pattern, _ in expressions],
        ids=list(range(len(expressions))),
        elements=len(expressions),
        flags=[flags for _, flags in expressions],
    )
    return database


def _cache_key(expressions: Sequence[Expression]) -> str:
    """Of everything the compiled form depends on: the rules, the library, the processor."""
    parts = [metadata.version("hyperscan").encode(), platform.machine().encode(), _cpu_flags()]
    parts += [b"%d %b" % (flags, pattern) for pattern, flags in expressions]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:24]


def _cpu_flags() -> bytes:
    with contextlib.suppress(OSError):
        flags = re.search(rb"^(?:flags|Features)\s*:(.*)$", Path("/proc/cpuinfo").read_bytes(), re.MULTILINE)
        if flags:
            return flags[1]
    return platform.processor().encode()


def _load(path: Path) -> Any:
    """The cached database; None when there is none or it is damaged. The library trusts its input: we do not."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, payload = content[:_DIGEST], content[_DIGEST:]
    if hashlib.sha256(payload).digest() != digest:
        return None
    try:
        return hyperscan.loadb(payload, mode=hyperscan.HS_MODE_BLOCK)
    except hyperscan.HyperscanError:
        return None


def _save(path: Path, payload: bytes) -> None:
    """Written aside and moved into place: a reader sees all of it or nothing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(hashlib.sha256(payload).digest() + payload)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _remove_others(path: Path, name: str) -> None:
    """What was compiled from other rules."""
    for other in path.parent.glob(f"{name}-*{_SUFFIX}"):
        if other != path:
            other.unlink(missing_ok=True)
