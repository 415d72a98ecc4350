"""Says of a short text, sooner than the gate can be imported, that there is no credential in it.

A commit with an editor has two hooks, and the second has only the message left to look at: a text of some lines, which
the first hook's whole start would cost a second time. So it is first asked whether the look could find anything at all:
whether a type's keyword stands there with the type's pattern, or something that is decoded before it is looked at. Who
is not sure says no, and the look decides.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from agentguard.detect.cache_file import read, write
from agentguard.detect.types_cache import secrets_yaml, types_file
from agentguard.hooks.expressions import VERSION, expression_of, made_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentguard.detect.compiled import CompiledTypes
    from agentguard.detect.rules import CredentialType
    from agentguard.hooks.expressions import Expression

    Sieve = tuple[dict[bytes, list[tuple[bytes, list[int]]]], list[Expression]]
    """Keywords by their first bytes, each with the indices of its types; and of each type the pattern."""

LONGEST = 16_384
"""Bytes of a text; of a longer one nothing is said."""
_START = 3
"""Bytes of a keyword by which it is looked up."""
_ENCODED = b"\0\x1b\\%\xfe\xff"
"""Bytes that every text has in which something is escaped, coloured or of 16 bits a character."""
_RUN = 24
"""`decode_runs.SHORTEST`: characters of the shortest run that is decoded."""
_LINE = 48
"""`long_words.LINE`: a run of so many may go on over the end of its line."""
_IN_RUN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_RUNS_ALONE = bytes(byte if byte in _IN_RUN else 0x20 for byte in range(256))
_HEX = b"abcdef"


def is_plain(text: bytes, home: str) -> bool:
    """Whether the gate's look at `text`, or at the part of it before any line, is sure to find nothing.

    Args:
        home: AgentGuard's home folder, in whose cache the types are; where they are not, nothing is sure.

    Raises:
        OSError: the policies cannot be read.
    """
    sieve = read(_beside(types_file(secrets_yaml(), home + "/cache"))) if len(text) <= LONGEST else None
    return sieve is not None and passes(text, sieve)


def make_sieve(types: CompiledTypes) -> None:
    """Once for these types, and this Python; not where nothing can be kept."""
    path = _beside(types.file)
    if not os.path.exists(path) and os.path.exists(types.file):
        write(path, sieve_of(types, types.users))


def passes(text: bytes, sieve: Sieve) -> bool:
    """As `is_plain`, by what `sieve_of` made."""
    if len(text.translate(None, _ENCODED)) < len(text) or _may_decode(text):
        return False
    keywords, patterns = sieve
    lowered = text.lower()
    starts = {lowered[at : at + size] for at in range(len(text)) for size in range(1, _START + 1)}
    suspects = {
        index
        for start in starts.intersection(keywords)
        for word, users in keywords[start]
        if word in lowered
        for index in users
    }
    return not any(made_of(b"", patterns[index]).search(text) for index in suspects)


def sieve_of(types: Sequence[CredentialType], users: dict[bytes, list[int]]) -> Sieve:
    """A type's pattern is a necessary condition, whatever else it asks for (`agentguard.detect.confirm`): it looks at
    nothing beyond what it matches."""
    keywords: dict[bytes, list[tuple[bytes, list[int]]]] = {}
    for word, indices in users.items():
        keywords.setdefault(word[:_START], []).append((word, indices))
    return keywords, [expression_of(kind.pattern.encode("ascii")) for kind in types]


def _beside(types: str) -> str:
    return f"{types.removesuffix('.types')}-{VERSION}.sieve"


def _may_decode(text: bytes) -> bool:
    """Whether a run in it may decode to something: `decode_runs` leaves small letters alone, which are words."""
    for run in text.translate(_RUNS_ALONE).split():
        if len(run) >= _LINE or (len(run) >= _RUN and not _is_word(run)):
            return True
    return False


def _is_word(run: bytes) -> bool:
    return run.islower() and run.translate(None, b"0123456789") == run and bool(run.translate(None, _HEX))
