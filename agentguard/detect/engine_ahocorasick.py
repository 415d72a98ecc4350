"""The third engine: one automaton over all keywords, confirmed at each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ahocorasick_rs import BytesAhoCorasick

from agentguard.detect.confirm import Confirmer, Hit, in_order, users_of
from agentguard.detect.rules import CredentialType

_PIECE = 1 << 20


class AhoCorasickEngine:
    """About 55 MB/s; nearly nothing to build.

    Args:
        types: what to find.
        users: `users_of` them, where that is known already.
    """

    name = "ahocorasick"

    def __init__(self, types: Sequence[CredentialType], users: dict[bytes, list[int]] | None = None) -> None:
        known = users_of(types) if users is None else users
        self._confirmer = Confirmer(types)
        self._users = list(known.values())
        self._longest = max(map(len, known), default=0)
        self._automaton = BytesAhoCorasick(list(known))

    def scan(self, data: bytes, _words: bytes | None = None) -> list[Hit]:
        """As `Engine.scan`."""
        positions: defaultdict[int, set[int]] = defaultdict(set)
        for low in range(0, len(data), _PIECE):
            piece = data[low : low + _PIECE + self._longest].lower()
            for word, start, _end in self._automaton.find_matches_as_indexes(piece, overlapping=True):
                for index in self._users[word]:
                    positions[index].add(low + start)
        hits: list[Hit] = []
        for index, found in positions.items():
            hits += self._confirmer.confirm(index, data, sorted(found))[0]
        return in_order(hits)
