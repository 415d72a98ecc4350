"""Long words: most of what is looked for holds one, and most of a text is none.

A key of a provider and a followed value are hardly ever shorter than a word of prose, of code and of JSON is long. So
the long words of a text, a few percent of it, say whether the text itself need be searched.
"""

from __future__ import annotations

import re

from agentguard.detect.loops import loops_for

LONG = 16
"""Characters; hardly a word of prose has so many, and the names of programs are one part in ten of their text."""
LINE = 48
"""A line of something wrapped has at least this many characters, all lines but the last the same number. In
YAML they are indented."""
WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_.-")
"""The characters of a word: those of base64, of both alphabets, and the full stop."""

_RUN = re.compile(rb"[A-Za-z0-9+/=_.-]+")


def long_words(data: bytes) -> bytes | None:
    """The words of `data` of `LONG` characters or more, a blank behind each; the lines of something wrapped together.
    None where finding them takes as long as searching the text, for want of the compiled loop."""
    native = loops_for(len(data))
    return native.words(data, LONG, LINE) if native else None


def longest_word(literal: bytes) -> tuple[bytes, int]:
    """The longest word in `literal`, and where it begins; b"" when there is none."""
    words = [(run[0], run.start()) for run in _RUN.finditer(literal)]
    return max(words, key=lambda word: len(word[0]), default=(b"", 0))
