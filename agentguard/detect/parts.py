"""The parts of a text that a decoding changes: the rest of it has been looked at as it stood.

What a decoding brings to light lies across, or beside, one of the codes that it resolves. In a program there is a code
in every other page, and a whole text to look at again for each kind of code would be most of the work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

REACH = 4096
"""Bytes kept on either side of a code: what is as long is split between windows too (`TextStream.CARRY`)."""
CUT = b"\x02\x01\x03\x01\x02\x03"
"""Stands where a part was cut off: nothing that is looked for goes on over it."""
_LINE = 1024
"""Bytes, at most, from the start of the line at which a part begins to where it could."""
_WORTH = 0.875
"""Share of a text from which on its parts are no less work than the whole."""


class Codes(Protocol):
    """Codes of one kind."""

    def first(self, data: bytes, start: int) -> int:
        """Where the first begins, from `start` on; -1 when there is none."""

    def last(self, data: bytes, start: int, end: int) -> int:
        """Where the last begins within [start, end); -1 when there is none."""

    def resolve(self, data: bytes) -> bytes | None:
        """The text with the codes resolved; None when there are none."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A text whose codes were resolved."""

    whole: bytes
    changed: bytes
    """Its parts around them, `CUT` behind each that was cut off; or all of it, when that is hardly more."""


def resolve_parts(data: bytes, codes: Codes) -> Resolved | None:
    """`data` with its codes resolved; None when that changes nothing."""
    whole: list[bytes] = []
    changed: list[bytes] = []
    done = 0
    for start, end in _parts(data, codes):
        resolved = codes.resolve(data[start:end])
        if resolved is not None and resolved != data[start:end]:
            whole += (data[done:start], resolved)
            changed += (resolved, CUT if end < len(data) else b"")
            done = end
    if not changed:
        return None
    text = b"".join((*whole, data[done:]))
    parts = b"".join(changed)
    return Resolved(text, parts if len(parts) < len(text) * _WORTH else text)


def _parts(data: bytes, codes: Codes) -> Iterator[tuple[int, int]]:
    """Start and end of each; no word is cut."""
    code = codes.first(data, 0)
    while code >= 0:
        start = _start(data, code)
        while True:
            while (later := codes.last(data, code + 1, code + REACH)) >= 0:
                code = later
            end, code = _end(data, code), codes.first(data, code + 1)
            if code < 0 or _start(data, code) > end:
                break
        yield start, end


def _start(data: bytes, code: int) -> int:
    """At the start of a line where one is near, else of a word."""
    at = code - REACH
    if at <= 0:
        return 0
    low = max(0, at - _LINE)
    return data.rfind(b"\n", low, at) + 1 or low + len(data[low:at].rstrip(_WORD))


def _end(data: bytes, code: int) -> int:
    """Before the word that would be cut; behind it, when it begins at the code."""
    at = code + REACH
    if at >= len(data):
        return len(data)
    whole = data[code:at].rstrip(_WORD)
    return code + len(whole) if len(whole) > REACH // 2 else _behind_word(data, at)


def _behind_word(data: bytes, at: int) -> int:
    rest = _NO_WORD.search(data, at)
    return rest.start() if rest else len(data)


_WORD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-=."
_NO_WORD = re.compile(rb"[^A-Za-z0-9+/_=.-]")
