"""The fast engine: Hyperscan (Vectorscan) says which types occur in a block of 64 KB.

One match a type and block is all that is asked of it, and the shared confirmation does the rest. Of the types with a
filter, which nearly every file of source code holds, every match is asked for: looking for their keywords all over a
block would cost more than everything else together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from agentguard.detect.blocks import scan_blocks
from agentguard.detect.confirm import NEAR, Confirmer, Hit
from agentguard.detect.hyperscan_sets import EVERY, ONCE, ExpressionSet
from agentguard.detect.in_context import MIXED
from agentguard.detect.long_words import LONG, WORD
from agentguard.detect.pattern_runs import least_run
from agentguard.detect.rules import CredentialType

_BLOCK = 64 * 1024
_SELDOM = 40
"""Characters in a word that hardly a text has: a pattern with such a word in it is not looked for in the others."""


class HyperscanEngine:
    """Above 3 GB/s on clean input.

    Args:
        types: what to find.
        cache: a folder for the compiled sets (they take tenths of a second to compile); None keeps none.
    """

    name = "hyperscan"

    def __init__(self, types: Sequence[CredentialType], cache: Path | None = None) -> None:
        self._confirmer = Confirmer(types)
        at_rest = any(kind.filter for kind in types)
        name = "rest" if at_rest else "rules"  # a session's set and a scan's lie side by side
        self._set = ExpressionSet([(expression(kind), _flags(kind)) for kind in types], cache, name)
        self._told = frozenset(index for index, kind in enumerate(types) if _flags(kind) == EVERY)
        self._gate = None if at_rest else _Gate(types, cache)

    def scan(self, data: bytes, words: bytes | None = None) -> list[Hit]:
        """As `Engine.scan`."""
        if words is not None and self._gate is not None and not self._gate.may_match(data, words):
            return []
        return scan_blocks(data, _BLOCK, self._types_in, self._confirmer)

    def _types_in(self, block: bytes) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        told = self._told

        def on_match(index: int, _start: int, end: int, _flags: int, _context: object) -> None:
            ends = found.setdefault(index, [])
            if index in told and (not ends or end > ends[-1] + NEAR):
                ends.append(end)

        self._set.scan(block, on_match)
        return found


class _Gate:
    """Says of most texts, in a third of the time, that no pattern matches in them.

    Most patterns match within a word; where a long word must stand in a match, a text without one has none. A key told
    by its context is a long word that is mixed. Only the rest is looked for everywhere.
    """

    def __init__(self, types: Sequence[CredentialType], cache: Path | None) -> None:
        told = frozenset(kind.id for kind in types if kind.value_form and _is_long_word(kind.value_form))
        runs = [(expression(kind), least_run(kind.pattern, WORD)) for kind in types if kind.id not in told]
        in_words = [each for each, run in runs if run.pure and run.least >= LONG]
        self._in_words = _once([*in_words, MIXED] if told else in_words, cache, "words")
        seldom = [run.least >= _SELDOM or (run.pure and run.least >= LONG) for _, run in runs]
        self._anywhere = _once(
            [each for (each, _), rare in zip(runs, seldom, strict=True) if not rare], cache, "anywhere"
        )
        longest = min((run.least for _, run in runs if not run.pure and run.least >= _SELDOM), default=0)
        self._long_word = re.compile(rb"[^ ]{%d}" % longest) if longest else None

    def may_match(self, data: bytes, words: bytes) -> bool:
        """Whether a pattern may match in `data`, of which `words` are the long words."""
        if self._long_word is not None and self._long_word.search(words):
            return True
        if words and self._in_words is not None and self._in_words.matches(words):
            return True
        return self._anywhere is not None and self._anywhere.matches(data)


def _is_long_word(value_form: str) -> bool:
    run = least_run(value_form, WORD)
    return run.pure and run.least >= LONG


def _once(expressions: Sequence[bytes], cache: Path | None, name: str) -> ExpressionSet | None:
    each = [(pattern, ONCE) for pattern in dict.fromkeys(expressions)]
    return ExpressionSet(each, cache, name) if each else None


def expression(kind: CredentialType) -> bytes:
    """The pattern without its group's name: the library knows no groups."""
    return kind.pattern.replace("(?P<secret>", "(?:").encode("ascii")


def _flags(kind: CredentialType) -> int:
    """Every match is told where the words that a key stands behind are common ones: to look for them all over a block
    takes longer."""
    return EVERY if kind.filter is not None or kind.value_form else ONCE
