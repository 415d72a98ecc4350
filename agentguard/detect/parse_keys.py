"""Private keys in PEM armour: the lines that hold the secret half, which are what would be seen on its way out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?)-----")
_MAX_KEYS = 200
_MAX_BLOCK = 65_536
_LINE = re.compile(r"[A-Za-z0-9+/=]{16,}")
_LINE_CHARS = 64
_LONGEST_LINE = 128
_SHORT_KEY_LINES = 6
_PUBLIC_SHARE = 0.45
"""The first part of an RSA or OpenSSH key is its public half (modulus, names); by here the private part has begun.
Following public lines would cry wolf at everyone who sends a public key."""


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """One armoured key. In memory only."""

    label: str
    """RSA PRIVATE KEY, OPENSSH PRIVATE KEY, ..."""
    block: str = field(repr=False)
    """The whole armour."""
    lines: tuple[str, ...] = field(repr=False)
    """Lines of its body that hold private parts; each is worth following."""


def private_keys(text: str) -> Iterator[PrivateKey]:
    """Every private key in the text, with real line ends or with `\\n` escaped."""
    for begin in islice(_BEGIN.finditer(text), _MAX_KEYS):
        end_mark = f"-----END {begin[1]}-----"
        end = text.find(end_mark, begin.end(), begin.end() + _MAX_BLOCK)
        if end < 0:
            continue
        body = re.sub(r"\\r|\\n", "\n", text[begin.end() : end])
        lines = [line.strip() for line in body.split("\n")]
        lines = [part for line in lines if _LINE.fullmatch(line) for part in _folded(line)]
        if lines:
            block = text[begin.start() : end + len(end_mark)]
            yield PrivateKey(begin[1], block, tuple(_private_lines(begin[1], lines)))


def _folded(line: str) -> list[str]:
    """A body written as one line is cut as PEM cuts it."""
    if len(line) <= _LONGEST_LINE:
        return [line]
    return [line[at : at + _LINE_CHARS] for at in range(0, len(line), _LINE_CHARS)]


def _private_lines(label: str, lines: list[str]) -> list[str]:
    if len(lines) == 1 or label == "EC PRIVATE KEY":
        return lines[:1]
    if label == "PRIVATE KEY" and len(lines) <= _SHORT_KEY_LINES:
        return lines[:2]
    private = lines[int(len(lines) * _PUBLIC_SHARE + 0.5) :]
    return private[:-1] if len(private) > 1 and len(private[-1]) < len(private[0]) else private
