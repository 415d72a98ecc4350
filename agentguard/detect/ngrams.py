"""How rare a string is: by how few of its characters follow each other as they do in words, names and code.

A vocabulary of the letter groups that make up identifiers and words (counted by `scripts/train-rarity`) cuts a string
into the fewest pieces. `connection_timeout` is four of them, a random key of its length a dozen. Entropy is added: it
takes `00000000` for what it is. Among the strings of code this tells random keys far better than entropy alone
(`scripts/train-rarity` prints by how much).
"""

from __future__ import annotations

import math
from collections import Counter
from functools import cache, lru_cache

LONGEST = 7
"""Characters of the longest group of the vocabulary."""
ENTROPY_WEIGHT = 0.1
"""Of a bit a character, beside pieces a character; the best of those tried in training."""
_LOOKED_AT = 96
"""Characters of a value that are judged: what is random is so from its start."""
_FILE = __file__.removesuffix("ngrams.py") + "ngrams.txt"
"""Not by pathlib, which a commit hook would wait for."""


@lru_cache(maxsize=4096)
def rarity(value: str) -> float:
    """About 0.5 for a name in code, 1.1 and more for a random string; 0 for ""."""
    text = value[:_LOOKED_AT]
    return pieces(folded(text), vocabulary()) / len(text) + ENTROPY_WEIGHT * entropy(text) if text else 0.0


def folded(text: str) -> str:
    """As the vocabulary is written: lower case, what separates words as `_`, all other signs as `!`."""
    return text.lower().translate(_FOLDING)


def pieces(text: str, known: frozenset[str]) -> int:
    """The fewest pieces that `text` can be cut into: groups that are known, and single characters."""
    fewest = [0]
    for end in range(1, len(text) + 1):
        least = fewest[-1] + 1
        for start in range(max(0, end - LONGEST), end - 1):
            if fewest[start] + 1 < least and text[start:end] in known:
                least = fewest[start] + 1
        fewest.append(least)
    return fewest[-1]


def entropy(text: str) -> float:
    """Shannon's, in bits a character."""
    length = len(text)
    return -sum(count / length * math.log2(count / length) for count in Counter(text).values())


@cache
def vocabulary() -> frozenset[str]:
    """Read at first use: 50 KB."""
    with open(_FILE, encoding="ascii") as file:
        return frozenset(file.read().split())


_FOLDING = {code: "_" if chr(code) in "_-. /:," else "!" for code in range(128) if not chr(code).isalnum()}
