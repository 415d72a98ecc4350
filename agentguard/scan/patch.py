"""Reads patches that git wrote without context (`-U0`): which lines came into which file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

_FILE = (b"diff --git ", b"diff --cc ", b"diff --combined ")
_HUNK = re.compile(
    rb"^@@ -[0-9]+(?:,[0-9]+)? \+([0-9]+)(?:,[0-9]+)? @@[^\n]*\n"
    rb"(?:-[^\n]*\n|\\[^\n]*\n)*"
    rb"((?:\+[^\n]*\n)+)",
    re.MULTILINE,
)
_MERGE_HUNK = re.compile(
    rb"^(@@@+)(?: -[0-9]+(?:,[0-9]+)?)+ \+([0-9]+)(?:,[0-9]+)? @@@+[^\n]*\n((?:[ +\\-][^\n]*\n)*)", re.MULTILINE
)
_INDEX = re.compile(rb"^index [0-9a-f,]+\.\.([0-9a-f]{40,64})(?: ([0-7]{6}))?$", re.MULTILINE)
_NEW_NAME = re.compile(rb"^\+\+\+ (?:b/([^\n]*?)\t?|\"b/([^\n]*)\"\t?)$", re.MULTILINE)
_RENAMED = re.compile(rb"^(?:rename|copy) to (?:\"([^\n]*)\"|([^\n]*))$", re.MULTILINE)
_BINARY = re.compile(rb"^Binary files (?:([^\n]*) )?differ$", re.MULTILINE)
_MERGED_NAME = re.compile(rb"diff --(?:cc|combined) (?:\"([^\n]*)\"|([^\n]*))\n")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPES = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_LINK, _SUBMODULE = b"120000", b"160000"


@dataclass(frozen=True, slots=True)
class Added:
    """What a patch brings into one file."""

    path: bytes
    text: bytes
    """The lines that came in, one after the other; b"" of a binary file."""
    starts: tuple[tuple[int, int], ...] = ()
    """(number of a line in `text`, its number in the file), both from 1, where a hunk begins; ascending."""
    blob: bytes = b""
    """Object name of the whole file, where git takes it for a binary one and shows no lines; else b""."""

    @property
    def name(self) -> str:
        """The path as text."""
        return os.fsdecode(self.path)

    def line_in_file(self, line: int) -> int:
        """The number in the file of a line of `text`."""
        here, there = next((pair for pair in reversed(self.starts) if pair[0] <= line), (1, 1))
        return there + line - here


def files_of(patch: bytes) -> Iterator[Added]:
    """Every file that a patch adds something to."""
    starts = list(_starts(patch))
    for start, end in zip(starts, [*starts[1:], len(patch)], strict=False):
        added = _file(patch[start:end])
        if added is not None:
            yield added


def _starts(patch: bytes) -> Iterator[int]:
    """Where what is told of a file begins. A line of a file's own content begins with a sign, never with `diff`."""
    if patch.startswith(_FILE):
        yield 0
    at = patch.find(b"\ndiff --")
    while at >= 0:
        if patch.startswith(_FILE, at + 1):
            yield at + 1
        at = patch.find(b"\ndiff --", at + 1)


def _file(part: bytes) -> Added | None:
    body = part.find(b"\n@@")
    header = part[: body + 1] if body >= 0 else part
    index = _INDEX.search(header)
    if index is not None and index[2] == _SUBMODULE:
        return None
    if body < 0:
        binary = _BINARY.search(header)
        if binary is None or index is None:
            return None
        merged = _MERGED_NAME.match(header)
        path = _either(merged) if merged is not None else _binary_name(header, binary[1] or b"")
        return Added(path, b"", blob=index[1])
    name = _NEW_NAME.search(header)
    if name is None:
        return None
    path = name[1] if name[1] is not None else _unquoted(name[2])
    hunks = list(_merge_hunks(part) if part.startswith(b"@@@", body + 1) else _hunks(part))
    if not hunks:
        return None
    lines = [text.count(b"\n") for _, text in hunks]
    firsts = [1 + before for before in accumulate(lines, initial=0)]
    text = b"".join(text for _, text in hunks)
    return Added(path, text, tuple((first, there) for first, (there, _) in zip(firsts, hunks, strict=False)))


def _hunks(part: bytes) -> Iterator[tuple[int, bytes]]:
    """(number of the first line that came in, the lines without their signs)."""
    for hunk in _HUNK.finditer(part):
        yield int(hunk[1]), hunk[2][1:].replace(b"\n+", b"\n")


def _merge_hunks(part: bytes) -> Iterator[tuple[int, bytes]]:
    """Of a merge: the lines that none of its parents has."""
    for hunk in _MERGE_HUNK.finditer(part):
        parents = len(hunk[1]) - 1
        new, number = b"+" * parents, int(hunk[2])
        for line in hunk[3].splitlines(keepends=True):
            if line.startswith(new):
                yield number, line[parents:]
            if b"-" not in line[:parents] and not line.startswith(b"\\"):
                number += 1


def _binary_name(header: bytes, names: bytes) -> bytes:
    """Of `a/x and b/x` or `/dev/null and b/x`, which git does not separate otherwise."""
    renamed = _RENAMED.search(header)
    if renamed is not None:
        return _either(renamed)
    if names.endswith(b'"'):
        return _unquoted(names[names.rindex(b' "b/') + 4 : -1])
    if names.startswith(b"/dev/null and b/"):
        return names.removeprefix(b"/dev/null and b/")
    both = len(names) - len(b"a/ and b/")
    return names[len(names) - both // 2 :]


def _either(name: re.Match[bytes]) -> bytes:
    """Of a name that is quoted (group 1) or not (group 2)."""
    return _unquoted(name[1]) if name[1] is not None else name[2]


def _unquoted(name: bytes) -> bytes:
    """A name as C would write it: escapes resolved."""
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1]) or _octal(found[1]), name)


def _octal(sign: bytes) -> bytes:
    return bytes([int(sign, 8) & 0xFF]) if len(sign) == 3 else sign
