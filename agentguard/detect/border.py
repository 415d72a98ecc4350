"""Where a token may begin: not within a word, but behind the letter of an escape sequence (`\\n` in JSON)."""

from __future__ import annotations

import re

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

_MARKS = b"\\%=\x1b"
"""Every escape holds one; hardly a word does, and that is sooner seen."""


def is_border(data: bytes, at: int) -> bool:
    """Whether a token may begin at `at`: start of data, a sign before it, or an escape sequence that ends there."""
    if at == 0 or data[at - 1] not in _ALNUM:
        return True
    before = data[max(0, at - _LEFT_CONTEXT) : at]
    if len(before.translate(None, _MARKS)) == len(before):
        return False
    return _ESCAPE.search(before) is not None
