"""Many literals in one pass, which the forms of the followed values are: by the fastest matcher this machine has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agentguard.detect.long_words import LONG, longest_word

_STEM = 32
"""Bytes of a literal that the fast matcher looks for; the rest is compared where they are found."""

Occurrence = tuple[int, int]
"""Index of a literal, and where it begins."""


class Matcher(Protocol):
    """A fixed set of literals. Thread-safe."""

    def scan(self, data: bytes, words: bytes | None) -> list[Occurrence]:
        """Every occurrence of every literal; those of several may overlap. In no order.

        `words`: the long words of `data`; None when they are not known.
        """


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

    def scan(self, data: bytes, _words: bytes | None) -> list[Occurrence]:
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

    def scan(self, data: bytes, _words: bytes | None) -> list[Occurrence]:
        found = self._automaton.find_matches_as_indexes(data, overlapping=True)
        return [(index, start) for index, start, _end in found]


class _Hyperscan:
    """Some 3 GB/s over ten thousand literals, and nearly as quick to build as the automaton; three times as fast where
    the literals hold a long word, which is nearly always so: then the text is searched only when one of its own is part
    of one."""

    def __init__(self, literals: Sequence[bytes]) -> None:
        in_words: defaultdict[bytes, list[_User]] = defaultdict(list)
        anywhere: defaultdict[bytes, list[_User]] = defaultdict(list)
        for index, literal in enumerate(literals):
            word, at = longest_word(literal)
            if len(word) >= LONG:
                in_words[word[:_STEM]].append(_User(index, at, literal))
            else:
                anywhere[literal[:_STEM]].append(_User(index, 0, literal))
        self._in_words = _Stems(in_words)
        self._anywhere = _Stems(anywhere)

    def scan(self, data: bytes, words: bytes | None) -> list[Occurrence]:
        found = self._anywhere.scan(data)
        if words is None or self._in_words.any_in(words):
            found += self._in_words.scan(data)
        return found


@dataclass(frozen=True, slots=True)
class _User:
    """A literal, and where its stem stands in it."""

    index: int
    at: int
    literal: bytes = field(repr=False)


class _Stems:
    """Parts of literals, by which those are found."""

    def __init__(self, stems: Mapping[bytes, list[_User]]) -> None:
        from agentguard.detect.hyperscan_sets import EVERY, ExpressionSet  # noqa: PLC0415 (13 ms; it may be missing)

        self._users = list(stems.values())
        self._lengths = [len(stem) for stem in stems]
        # Not its literal mode: this binding ends a literal at its first zero byte.
        each = [(b"".join(b"\\x%02x" % byte for byte in stem), EVERY) for stem in stems]
        self._set = ExpressionSet(each) if each else None

    def any_in(self, words: bytes) -> bool:
        """Whether some stem stands in `words`."""
        return bool(words) and self._set is not None and self._set.matches(words)

    def scan(self, data: bytes) -> list[Occurrence]:
        """Every occurrence of every literal."""
        found: list[Occurrence] = []

        def on_match(stem: int, _start: int, end: int, _flags: int, _context: object) -> None:
            stem_at = end - self._lengths[stem]
            for user in self._users[stem]:
                start = stem_at - user.at
                if start >= 0 and data.startswith(user.literal, start):
                    found.append((user.index, start))

        if data and self._set is not None:
            self._set.scan(data, on_match)
        return found
