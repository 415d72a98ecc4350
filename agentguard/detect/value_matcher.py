"""Many literals in one pass, which the forms of the followed values are: by the fastest matcher this machine has."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

_STEM = 32
"""Bytes of a literal that the fast matcher looks for; the rest is compared where they are found."""

Occurrence = tuple[int, int]
"""Index of a literal, and where it begins."""


class Matcher(Protocol):
    """A fixed set of literals. Thread-safe."""

    def scan(self, data: bytes) -> list[Occurrence]:
        """Every occurrence of every literal; those of several may overlap. In no order."""


def build_matcher(literals: Sequence[bytes]) -> Matcher:
    """For literals of which none is empty."""
    for build in (_Hyperscan, _AhoCorasick):
        try:
            return build(literals)
        except Exception:  # noqa: S112 (a library that is missing or broken: the next one finds the same)
            continue
    return PlainMatcher(literals)


class PlainMatcher:
    """`bytes.find` for each: where there is no library."""

    def __init__(self, literals: Sequence[bytes]) -> None:
        self._literals = tuple(literals)

    def scan(self, data: bytes) -> list[Occurrence]:
        """As `Matcher.scan`."""
        return [(index, at) for index, literal in enumerate(self._literals) for at in _each(data, literal)]


def _each(data: bytes, literal: bytes) -> Iterator[int]:
    at = data.find(literal)
    while at >= 0:
        yield at
        at = data.find(literal, at + 1)


class _AhoCorasick:
    """About 200 MB/s over thousands of literals."""

    def __init__(self, literals: Sequence[bytes]) -> None:
        from ahocorasick_rs import BytesAhoCorasick  # noqa: PLC0415 (it may be missing)

        self._automaton = BytesAhoCorasick(list(literals))

    def scan(self, data: bytes) -> list[Occurrence]:
        found = self._automaton.find_matches_as_indexes(data, overlapping=True)
        return [(index, start) for index, start, _end in found]


class _Hyperscan:
    """Some 3 GB/s over ten thousand literals, and nearly as quick to build as the automaton."""

    def __init__(self, literals: Sequence[bytes]) -> None:
        import hyperscan  # noqa: PLC0415 (13 ms, and it may be missing)

        stems: defaultdict[bytes, list[int]] = defaultdict(list)
        for index, literal in enumerate(literals):
            stems[literal[:_STEM]].append(index)
        self._literals = tuple(literals)
        self._users = list(stems.values())
        self._lengths = [len(stem) for stem in stems]
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=[b"".join(b"\\x%02x" % byte for byte in stem) for stem in stems],
            ids=list(range(len(stems))),
            elements=len(stems),
            flags=[0] * len(stems),  # not its literal mode: this binding ends a literal at its first zero byte
        )
        self._new_scratch: Callable[[], Any] = lambda: hyperscan.Scratch(self._database)
        self._local = threading.local()

    def scan(self, data: bytes) -> list[Occurrence]:
        found: list[Occurrence] = []

        def on_match(index: int, _start: int, end: int, _flags: int, _context: object) -> None:
            start = end - self._lengths[index]
            found.extend((user, start) for user in self._users[index] if data.startswith(self._literals[user], start))

        self._database.scan(data, match_event_handler=on_match, scratch=self._scratch())
        return found

    def _scratch(self) -> Any:
        """A scratch space serves one scan at a time: each thread has its own."""
        scratch = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = self._new_scratch()
        return scratch
