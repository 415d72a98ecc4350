"""What a hit is, the same for every engine.

An engine only says where a type may occur. Whether it does is decided here, by `re` anchored at each keyword, so
that every engine finds the same: the findings depend on the bytes alone and not on the blocks an engine cuts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from agentguard.detect.context_form import is_key
from agentguard.detect.filters import BEGINNINGS, FILTERS
from agentguard.detect.rules import CredentialType

_ALNUM = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_LEFT_CONTEXT = 40
_ESCAPE = re.compile(
    rb"(?:"
    rb"\\[nrtbfv0ae]"  # \n of JSON, C, shells
    rb"|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[0-7]{3}"
    rb"|%(?:25)*[0-9A-Fa-f]{2}"
    rb"|=[0-9A-F]{2}"  # quoted-printable
    rb"|(?:\x1b|\\+u001[bB]|\\+x1[bB]|\\+033|\\+e|%1[bB])\[[0-9;:]{0,24}[A-Za-z]"  # ANSI colour
    rb")\Z"
)


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
    """The patterns as `re`, and their keywords."""

    def __init__(self, types: Sequence[CredentialType]) -> None:
        self.keywords = tuple(tuple(word.encode("ascii") for word in kind.keywords) for kind in types)
        self.max_lead = max((lead for kind in types for lead in kind.lead), default=0)
        self.max_length = max((kind.max_length for kind in types), default=0)
        self.longest_keyword = max((len(word) for words in self.keywords for word in words), default=0)
        self._types = tuple(types)
        self._patterns: list[re.Pattern[bytes] | None] = [None] * len(types)

    def confirm(self, index: int, data: bytes, positions: Iterable[int], floor: int = 0) -> tuple[list[Hit], int]:
        """Hits of one type at keyword positions (ascending), none beginning before `floor`; and the next floor."""
        kind, pattern = self._types[index], self._pattern(index)
        hits: list[Hit] = []
        fits = BEGINNINGS.get(kind.filter) if kind.filter is not None else None
        for position in positions:
            if position < floor or (fits is not None and not fits(data, position)):
                continue
            match = _match_at(pattern, kind, data, position, floor)
            span = _span(kind, match) if match is not None else None
            if match is not None and span is not None:
                hits.append(Hit(index, *span, gap=span[0] - match.start()))
                floor = span[1]
        return hits, floor

    def positions(self, index: int, lowered: bytes, base: int, low: int, high: int) -> list[int]:
        """Where keywords of one type begin within [low, high) of the data, of which `lowered` is the part from `base`,
        in lower case."""
        found: set[int] = set()
        for word in self.keywords[index]:
            found.update(base + at for at in find_all(lowered, word, low - base, high - base))
        return sorted(found)

    def positions_before(self, index: int, block: bytes, ends: Iterable[int], base: int) -> list[int]:
        """As `positions`, only where a match may begin that ends at one of `ends`: offsets in `block`, which is the
        data from `base`."""
        reach, found, done = self._types[index].max_length, set[int](), 0
        for end in sorted(ends):
            low = max(done, end - reach)
            near = block[low:end].lower()
            for word in self.keywords[index]:
                at = near.find(word)
                while at >= 0:
                    found.add(base + low + at)
                    at = near.find(word, at + 1)
            done = max(low, end - self.longest_keyword)
        return sorted(found)

    def _pattern(self, index: int) -> re.Pattern[bytes]:
        """Compiled at first use: most sessions meet few of the types."""
        pattern = self._patterns[index]
        if pattern is None:
            pattern = self._patterns[index] = re.compile(self._types[index].pattern.encode("ascii"))
        return pattern


def find_all(data: bytes, word: bytes, low: int = 0, high: int | None = None) -> Iterator[int]:
    """Where `word` begins within [low, high)."""
    stop = len(data) if high is None else min(len(data), high + len(word) - 1)
    at = data.find(word, low, stop)
    while at >= 0:
        yield at
        at = data.find(word, at + 1, stop)


def is_border(data: bytes, at: int) -> bool:
    """Whether a token may begin at `at`: start of data, a sign before it, or an escape sequence that ends there."""
    if at == 0 or data[at - 1] not in _ALNUM:
        return True
    return _ESCAPE.search(data, max(0, at - _LEFT_CONTEXT), at) is not None


def begins_name(data: bytes, at: int) -> bool:
    """Whether a word of a name may begin at `at`: as `is_border`, behind a digit, or where `aWord` begins a new one."""
    before = data[at - 1 : at]
    return not before.isalpha() or (before.islower() and data[at : at + 1].isupper()) or is_border(data, at)


def in_order(hits: list[Hit]) -> list[Hit]:
    """By start, then by type: the order of every engine."""
    return sorted(hits, key=lambda hit: (hit.start, hit.type_index))


def _span(kind: CredentialType, match: re.Match[bytes]) -> tuple[int, int] | None:
    """The secret's own, half open; None when the type's filter says that there is none."""
    if kind.filter is not None:
        return FILTERS[kind.filter](match)
    span = match.span("secret" if match.re.groups else 0)
    return None if kind.trigger and not is_key(match.string, *span) else span


def _match_at(
    pattern: re.Pattern[bytes], kind: CredentialType, data: bytes, position: int, floor: int
) -> re.Match[bytes] | None:
    """The match whose keyword stands at `position`, if there is one with a border before it."""
    for lead in kind.lead:
        start = position - lead
        if start < floor or (not pattern.groups and not is_border(data, start)):
            continue
        if kind.trigger and not begins_name(data, start):
            continue
        match = pattern.match(data, start, start + kind.max_length)
        if match is None:
            continue
        context_before = pattern.groups and match.start("secret") > start
        if context_before or is_border(data, start):
            return match
    return None
