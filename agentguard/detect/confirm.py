"""What a hit is, the same for every engine.

An engine only says where a type may occur. Whether it does is decided here, by `re` anchored at each keyword, so
that every engine finds the same: the findings depend on the bytes alone and not on the blocks an engine cuts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from agentguard.detect.border import is_border
from agentguard.detect.filters import BEGINNINGS, FILTERS
from agentguard.detect.in_context import InContext
from agentguard.detect.rules import CredentialType

NEAR = 32
"""Bytes behind the end of a match in which further ends of the same type need not be told."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A credential type's pattern matched."""

    type_index: int
    """Index into the types the engine was built with."""
    start: int
    end: int
    """Half-open span of the secret (group `secret`, else the whole match) in the scanned bytes."""
    gap: int = 0
    """Bytes of context between the beginning of the match and the secret."""


class Engine(Protocol):
    """Finds credential types in bytes. Thread-safe; every engine gives the same hits in the same order."""

    @property
    def name(self) -> str:
        """hyperscan, re2, ahocorasick or python."""

    def scan(self, data: bytes, words: bytes | None = None) -> list[Hit]:
        """Hits by start, then by type; those of one type do not overlap.

        `words`: the long words of `data` (`long_words`) where they are known, by which some engines are quicker.
        """


class Confirmer:
    """The patterns as `re`, and their keywords: each made at first use."""

    def __init__(self, types: Sequence[CredentialType]) -> None:
        self._types = types
        self._finders: list[_Finder | None] = [None] * len(types)

    @cached_property
    def keywords(self) -> tuple[tuple[bytes, ...], ...]:
        """Of each type."""
        return tuple(tuple(word.encode("ascii") for word in kind.keywords) for kind in self._types)

    @cached_property
    def max_lead(self) -> int:
        """Most bytes of a match before its keyword."""
        return max((lead for kind in self._types for lead in kind.lead), default=0)

    @cached_property
    def max_length(self) -> int:
        """Most bytes of a match."""
        return max((kind.max_length for kind in self._types), default=0)

    def confirm(self, index: int, data: bytes, positions: Iterable[int], floor: int = 0) -> tuple[list[Hit], int]:
        """Hits of one type at keyword positions (ascending), none beginning before `floor`; and the next floor."""
        finder = self._finder(index)
        hits: list[Hit] = []
        for position in positions:
            if position < floor:
                continue
            found = finder.find(data, position, floor)
            if found is not None:
                begin, start, end = found
                hits.append(Hit(index, start, end, gap=start - begin))
                floor = end
        return hits, floor

    def positions(self, index: int, lowered: bytes, base: int, low: int, high: int) -> list[int]:
        """Where keywords of one type begin within [low, high) of the data, of which `lowered` is the part from `base`,
        in lower case."""
        found: set[int] = set()
        for word in self.keywords[index]:
            found.update(base + at for at in find_all(lowered, word, low - base, high - base))
        return sorted(found)

    def positions_before(self, index: int, block: bytes, ends: Iterable[int], base: int) -> list[int]:
        """As `positions`, only where a match may begin that ends at one of `ends` or up to `NEAR` bytes behind it:
        ascending offsets in `block`, which is the data from `base`."""
        found: list[int] = []
        for low, high in _joined((end - self._types[index].max_length, end + NEAR) for end in ends):
            near = block[max(0, low) : high].lower()
            for word in self.keywords[index]:
                found += [base + max(0, low) + at for at in find_all(near, word)]
        return sorted(set(found))

    def _finder(self, index: int) -> _Finder:
        """Compiled at first use: most sessions meet few of the types."""
        finder = self._finders[index]
        if finder is None:
            kind = self._types[index]
            finder = self._finders[index] = InContext(kind) if kind.value_form else _ByPattern(kind)
        return finder


def users_of(types: Iterable[CredentialType]) -> dict[bytes, list[int]]:
    """Of each keyword the indices of the types that have it."""
    users: dict[bytes, list[int]] = {}
    for index, kind in enumerate(types):
        for word in kind.keywords:
            users.setdefault(word.encode("ascii"), []).append(index)
    return users


class _Finder(Protocol):
    """Says whether one type stands at a keyword."""

    def find(self, data: bytes, position: int, floor: int) -> tuple[int, int, int] | None:
        """Where the match begins whose keyword stands at `position`, not before `floor`, and the half-open span of the
        secret in it; None when there is none."""


def _joined(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Ascending spans, those that meet as one."""
    start, stop = 0, -1
    for low, high in spans:
        if stop < 0:
            start = low
        elif low > stop:
            yield start, stop
            start = low
        stop = high
    if stop >= 0:
        yield start, stop


def find_all(data: bytes, word: bytes, low: int = 0, high: int | None = None) -> Iterator[int]:
    """Where `word` begins within [low, high)."""
    stop = len(data) if high is None else min(len(data), high + len(word) - 1)
    at = data.find(word, low, stop)
    while at >= 0:
        yield at
        at = data.find(word, at + 1, stop)


def in_order(hits: list[Hit]) -> list[Hit]:
    """By start, then by type: the order of every engine."""
    return sorted(hits, key=lambda hit: (hit.start, hit.type_index))


class _ByPattern:
    """Of a type that has a form of its own."""

    def __init__(self, kind: CredentialType) -> None:
        self._pattern = re.compile(kind.pattern.encode("ascii"))
        self._kind = kind
        self._fits = BEGINNINGS.get(kind.filter) if kind.filter is not None else None

    def find(self, data: bytes, position: int, floor: int) -> tuple[int, int, int] | None:
        """As `_Finder.find`."""
        if self._fits is not None and not self._fits(data, position):
            return None
        match = self._match(data, position, floor)
        if match is None:
            return None
        kind = self._kind
        span = (
            FILTERS[kind.filter](match) if kind.filter is not None else match.span("secret" if match.re.groups else 0)
        )
        return (match.start(), *span) if span is not None else None

    def _match(self, data: bytes, position: int, floor: int) -> re.Match[bytes] | None:
        """The match whose keyword stands at `position`, if there is one with a border before it."""
        pattern = self._pattern
        for lead in self._kind.lead:
            start = position - lead
            if start < floor or (not pattern.groups and not is_border(data, start)):
                continue
            match = pattern.match(data, start, start + self._kind.max_length)
            if match is None:
                continue
            context_before = pattern.groups and match.start("secret") > start
            if context_before or is_border(data, start):
                return match
        return None
