"""The fast engine: Hyperscan (Vectorscan) in block mode says which types occur in a block of 64 KB.

Its stream mode crashes in this binding; start-of-match tracking refuses long repeats. One match a type and block
is all that is asked of it, and the shared confirmation does the rest. Of the types with a filter, which nearly every
file of source code holds, every match is asked for: looking for their keywords all over a block would cost more than
everything else together.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import secrets
import threading
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import hyperscan

from agentguard.detect.blocks import scan_blocks
from agentguard.detect.confirm import Confirmer, Hit
from agentguard.detect.rules import CredentialType

_BLOCK = 64 * 1024
_DIGEST = 32
_PREFIX, _SUFFIX = "rules-", ".hsdb"

_Expression = tuple[bytes, int]
"""A pattern and its flags."""


class HyperscanEngine:
    """Above 1 GB/s on clean input.

    Args:
        types: what to find.
        cache: a folder for the compiled database (it takes a tenth of a second to compile); None keeps none.
    """

    name = "hyperscan"

    def __init__(self, types: Sequence[CredentialType], cache: Path | None = None) -> None:
        self._confirmer = Confirmer(types)
        self._database = _database([(expression(kind), _flags(kind)) for kind in types], cache)
        self._filtered = frozenset(index for index, kind in enumerate(types) if kind.filter is not None)
        self._local = threading.local()

    def scan(self, data: bytes) -> list[Hit]:
        """As `Engine.scan`."""
        return scan_blocks(data, _BLOCK, self._types_in, self._confirmer)

    def _types_in(self, block: bytes) -> dict[int, set[int]]:
        found: dict[int, set[int]] = {}
        filtered = self._filtered

        def on_match(index: int, _start: int, end: int, _flags: int, _context: object) -> None:
            ends = found.setdefault(index, set())
            if index in filtered:
                ends.add(end)

        self._database.scan(block, match_event_handler=on_match, scratch=self._scratch())
        return found

    def _scratch(self) -> Any:
        """A scratch space serves one scan at a time: each thread has its own."""
        scratch = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = hyperscan.Scratch(self._database)
        return scratch


def expression(kind: CredentialType) -> bytes:
    """The pattern without its group's name: the library knows no groups. Of a context what is quick to compile."""
    return (kind.trigger or kind.pattern).replace("(?P<secret>", "(?:").encode("ascii")


def _flags(kind: CredentialType) -> int:
    every: int = hyperscan.HS_FLAG_DOTALL
    return every if kind.filter is not None else every | int(hyperscan.HS_FLAG_SINGLEMATCH)


def _database(expressions: list[_Expression], cache: Path | None) -> Any:
    """From the cache where it is sound; else compiled and cached."""
    if cache is None:
        return _compile(expressions)
    path = cache / f"{_PREFIX}{_cache_key(expressions)}{_SUFFIX}"
    loaded = _load(path)
    if loaded is not None:
        return loaded
    database = _compile(expressions)
    with contextlib.suppress(OSError):  # a cache that cannot be written costs a little time, nothing else
        _save(path, hyperscan.dumpb(database))
    return database


def _compile(expressions: list[_Expression]) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[pattern for pattern, _ in expressions],
        ids=list(range(len(expressions))),
        elements=len(expressions),
        flags=[flags for _, flags in expressions],
    )
    return database


def _cache_key(expressions: list[_Expression]) -> str:
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
    """Written aside and moved into place: a reader sees all of it or nothing. Older ones are removed."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(hashlib.sha256(payload).digest() + payload)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    for other in path.parent.glob(f"{_PREFIX}*{_SUFFIX}"):
        if other != path:
            other.unlink(missing_ok=True)
