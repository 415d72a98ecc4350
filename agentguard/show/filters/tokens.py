"""The words of a filter, each with its place in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agentguard.show.filters.errors import FilterError

_KEY = re.compile(r"([A-Za-z_]+)(>=|<=|!=|==|[:=<>])")
_PIECE = re.compile(r'"([^"]*)"|([^\s",]+)|(,)')


@dataclass(frozen=True, slots=True)
class Value:
    """One of the alternatives behind a key."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Token:
    """`key:value,value`, or words to look for (`key` is "")."""

    start: int
    negated: bool
    key: str
    operator: str
    values: tuple[Value, ...]
    end: int


def tokens(text: str) -> Iterator[Token]:
    """In order.

    Raises:
        FilterError: a quote is not closed.
    """
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        token = _token(text, position)
        yield token
        position = token.end


def _token(text: str, start: int) -> Token:
    # `--token` is looked for as it stands: options are what people look for, and nobody negates twice.
    negated = text[start] == "-" and start + 1 < len(text) and not text[start + 1].isspace() and text[start + 1] != "-"
    begin = start + 1 if negated else start
    key = _KEY.match(text, begin)
    if key is None or text.startswith("//", key.end()):
        value, end = _word(text, begin)
        return Token(start, negated, "", "", (value,), end)
    values, end = _values(text, key.end())
    return Token(start, negated, key[1].lower(), key[2], values, end)


def _word(text: str, start: int) -> tuple[Value, int]:
    """Up to the next space; commas mean nothing here."""
    values, end = _values(text, start)
    joined = text[start:end].replace('"', "")
    return Value(joined, values[0].start if values else start), end


def _values(text: str, start: int) -> tuple[tuple[Value, ...], int]:
    """What stands between commas, up to the next space outside of quotes."""
    found, begin, position = [""], [start], start
    while position < len(text) and not text[position].isspace():
        piece = _PIECE.match(text, position)
        if piece is None:
            raise FilterError(position, 'this quote is not closed; write "two words"')
        position = piece.end()
        if piece[3]:
            found.append("")
            begin.append(position)
        else:
            found[-1] += piece[1] if piece[1] is not None else piece[2]
    return tuple(Value(one, at) for one, at in zip(found, begin, strict=True)), position
