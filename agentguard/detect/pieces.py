r"""Text that was taken apart into strings, put together again.

A stream sends an answer in deltas, and an agent sends what it heard on as it came: `data: {"index":0,"delta":{"text":
"sk-"}}`, then `"abc"`. A request holds text in arrays of pieces, a program adds literals. In none of them does a secret
stand as one word. Here the strings are joined that belong together:

- values of the same name, under the same index (the last number before it whose name ends in `index`): the deltas of a
  content block, the arguments of a tool's call, the parts of a message, whatever the format;
- strings between which only blanks and `, + . & \` stand: arrays, concatenations, literals side by side.

A string ends on its line. Quotes of the two kinds are looked at apart, as one kind often stands within the other; a
single one behind a letter is an apostrophe, and none behind a backslash opens a string. Where text in quotes holds
quotes, the outside may be taken for the inside: a string of joining signs alone, with words before it, tells.

Nothing here parses JSON: what is no JSON, or is cut at the end of a window, is looked at all the same.
"""

from __future__ import annotations

import re

from agentguard.detect.loops import loops_for

NEAREST, MOST = 256, 1024
"""Of a string longer than twice the most, its two ends count: so many bytes of each, and on to the next space, but no
more than the most. A secret that is taken apart lies around the joints."""
MOST_GAP = 64
"""Bytes between strings that stand side by side."""

_TEXT = rb"(?P<text>(?:[^%b\\\n]|\\[^\n])*+)%b(?P<colon>[ \n\t\r]*:[ \n\t\r]*)?"
_STRINGS = {
    b'"': re.compile(rb'(?<!\\)"' + _TEXT % (b'"', b'"')),
    b"'": re.compile(rb"(?<![A-Za-z0-9\\])'" + _TEXT % (b"'", b"'")),
}
_JOINT = re.compile(rb"[ \n\t\r,+.&\\]*")
_WORDS = re.compile(rb"[^\n,:()\[\]{}]*[^ \n\t\r,:()\[\]{}]")
_INDEX = re.compile(rb"[0-9]{1,9}")


def join_pieces(data: bytes) -> bytes:
    """The strings that belong together, a space behind each set; b"" when there are none.

    No line end, for over that a run of base64 may go on.
    """
    native = loops_for(len(data))
    return b"".join(
        (native.join if native else join)(data, quote, MOST_GAP, NEAREST, MOST) for quote in _STRINGS if quote in data
    )


def join(data: bytes, quote: bytes, most_gap: int, nearest: int, most: int) -> bytes:
    """Of the strings in quotes of one kind, in Python."""
    chains = _Chains(data, most_gap)
    string, at = _STRINGS[quote], 0
    while found := string.search(data, at):
        at = chains.take(found)
    return b"".join(
        b"".join(_kept(text, nearest, most) for text in chain) + b" " for chain in chains.all if len(chain) > 1
    )


class _Chains:
    """The strings of a text, those that belong together in one list."""

    def __init__(self, data: bytes, most_gap: int) -> None:
        self.all: list[list[bytes]] = []
        self._data = data
        self._most_gap = most_gap
        self._named: dict[tuple[bytes, int], list[bytes]] = {}
        self._chain: list[bytes] | None = None
        """That of the last string, unless it was a name."""
        self._name, self._value, self._index = b"", -1, 0
        self._ended = -1

    def take(self, found: re.Match[bytes]) -> int:
        """Enter a string; where to look for the next one."""
        start, (text_start, text_end) = found.start(), found.span("text")
        if self._inside_out(start, text_start, text_end):
            self._chain = [self._data[self._ended : start]]
            self.all.append(self._chain)
            self._ended = text_start
            return text_end
        if found["colon"] is not None:
            self._begin_value(found["text"], found.end())
        else:
            self._enter(found["text"], start)
        self._ended = text_end + 1
        return self._ended

    def _begin_value(self, name: bytes, value: int) -> None:
        self._name, self._value, self._chain = name, value, None
        number = _INDEX.match(self._data, value) if name.endswith(b"index") else None
        self._index = int(number[0]) if number else self._index

    def _enter(self, text: bytes, start: int) -> None:
        if self._value == start:
            self._chain = self._named.setdefault((self._name, self._index), [])
        elif self._chain is None or not self._adjacent(self._ended, start):
            self._chain = []
        if not self._chain:
            self.all.append(self._chain)
        self._chain.append(text)

    def _inside_out(self, start: int, text_start: int, text_end: int) -> bool:
        """Whether what looks like a string is what stands between two: the one before it was the outer one's start."""
        return (
            0 <= self._ended < start <= self._ended + self._most_gap
            and text_start < text_end
            and self._adjacent(text_start, text_end)
            and not self._adjacent(self._ended, start)
            and _WORDS.fullmatch(self._data, self._ended, start) is not None
        )

    def _adjacent(self, start: int, end: int) -> bool:
        return end - start <= self._most_gap and _JOINT.fullmatch(self._data, start, end) is not None


def _kept(text: bytes, nearest: int, most: int) -> bytes:
    if len(text) <= 2 * most:
        return text
    head, tail = text.find(b" ", nearest, most), text.rfind(b" ", -most, -nearest)
    return text[: head if head >= 0 else most] + b" " + text[tail + 1 if tail >= 0 else -most :]
