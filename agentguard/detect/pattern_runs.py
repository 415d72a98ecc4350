"""What a pattern says of its matches: whether they are made of certain characters only, and how many stand in a row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

_EVERY_BYTE = bytes(range(256))
_TOKEN = re.compile(
    r"(?P<atom>\[\^?\]?(?:\\.|[^\]\\])*\]|\\x[0-9A-Fa-f]{2}|\\.|[^|()^$?*+{])"
    r"|(?P<open>\((?:\?[^:>)]*[:>])?)|(?P<close>\))|(?P<or>\|)|(?P<repeat>\{[0-9]+,?[0-9]*\}|[?*+])|(?P<edge>[\^$])",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Run:
    """Characters in a row."""

    least: int
    """How many there are in every match."""
    pure: bool
    """Whether all are of the kind asked for, however many there are."""


def least_run(pattern: str, kind: frozenset[int]) -> Run:
    """How many characters of `kind` stand in a row in every match, at least; and whether a match has no others.

    `pattern` is of the subset that credential types may use (`rules_proof.pattern_problem`).
    """
    longest, here, pure = 0, 0, True
    for part in _parts(_TOKEN.finditer(pattern), kind):
        here = here + part.least if part.pure else 0
        longest, pure = max(longest, here), pure and part.pure
    return Run(longest, pure)


def _parts(tokens: Iterator[re.Match[str]], kind: frozenset[int]) -> list[Run]:
    """Those of an expression, one after the other; of alternatives, and of a repeated group, one for all of it."""
    branches: list[list[Run]] = [[]]
    for token in tokens:
        parts = branches[-1]
        if token["atom"]:
            parts.append(Run(1, _characters(token["atom"]) <= kind))
        elif token["open"]:
            parts.append(_whole(_parts(tokens, kind)))
        elif token["repeat"]:
            parts[-1] = Run(parts[-1].least * _fewest(token["repeat"]), parts[-1].pure)
        elif token["or"]:
            branches.append([])
        elif token["close"]:
            break
    return branches[0] if len(branches) == 1 else [_either([_whole(parts) for parts in branches])]


def _whole(parts: list[Run]) -> Run:
    """As one: what holds other characters too says nothing of how many stand in a row."""
    pure = all(part.pure for part in parts)
    return Run(sum(part.least for part in parts) if pure else 0, pure)


def _either(branches: list[Run]) -> Run:
    return Run(min(branch.least for branch in branches), all(branch.pure for branch in branches))


def _fewest(repeat: str) -> int:
    return int(re.findall("[0-9]+", repeat)[0]) if repeat[0] == "{" else int(repeat == "+")


@cache
def _characters(atom: str) -> frozenset[int]:
    """Those that it stands for; the patterns of a set have a few hundred atoms, thousands of times."""
    return frozenset(b"".join(re.findall(atom.encode("ascii"), _EVERY_BYTE, re.DOTALL)))
