"""Which environment a key is of: what its file, its variable, the section it stands in and its folders are called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from agentguard.posture.catalogue import Catalogue
from agentguard.posture.tree import SeenFile

_THIS_MACHINE = "development"
"""A plain `.env` is what is loaded while one works."""
_PLAIN = frozenset({".env", ".envrc", ".dev.vars", ".flaskenv"})
_KEY = re.compile(rb"""^(\s*)(?:-\s+)?["']?([A-Za-z_][\w.-]{0,63})["']?\s*[:=]""")
_HEADER = re.compile(rb"^\s*\[+\s*([^\]\n]{1,128})\]")
_MOST_LINES = 2_000
"""Looked at above a key for the sections it stands in."""


def environment_of(catalogue: Catalogue, file: SeenFile, name: str, lines: Sequence[bytes], line: int) -> str:
    """production, staging, development or test; "" when nothing says it. The nearest word counts.

    Args:
        name: variable or field of the key; "" for none.
        lines: of the file, where it has sections; else none.
        line: the number of the key's, from 1.
    """
    path = PurePosixPath(file.name)
    found = catalogue.environment([path.name, name])
    found = found or catalogue.environment(text.decode("utf-8", "replace") for text in _sections(lines, line))
    if found:
        return found
    if path.name in _PLAIN:
        return _THIS_MACHINE
    return catalogue.environment(reversed(path.parts[:-1]))


def _sections(lines: Sequence[bytes], line: int) -> Iterator[bytes]:
    """Names of what a line stands in, innermost first: keys that are indented less above it, then an ini header."""
    if not 0 < line <= len(lines):
        return
    own = _KEY.match(lines[line - 1])
    indent = len(own[1]) if own else 0
    if own:
        yield own[2]
    for above in reversed(lines[max(0, line - 1 - _MOST_LINES) : line - 1]):
        header = _HEADER.match(above)
        if header:
            yield header[1]
            return
        key = _KEY.match(above) if indent else None
        if key and len(key[1]) < indent:
            indent = len(key[1])
            yield key[2]
