"""Character codes in a list: `[115, 107, 45]`, `String.fromCharCode(0x73, 0x6b)`, the bytes of a buffer as JSON."""

from __future__ import annotations

import re

from agentguard.detect.loops import loops_for

FEWEST = 8
"""Codes; no shorter value is followed."""

_CODE = rb"(?:0[xX][0-9a-fA-F]{2}|[0-9]{1,3})"
_LISTS = {
    bracket: re.compile(rb"%b[ \n\t\r]*(%b(?:[ \n\t\r]*,[ \n\t\r]*%b)*+)" % (re.escape(bracket), _CODE, _CODE))
    for bracket in (b"[", b"(")
}
_NUMBER = re.compile(_CODE)
_TEXT = frozenset((*range(0x20, 0x7F), *b"\n\t\r"))


def decode_codes(data: bytes) -> bytes:
    """The characters of every list of codes of text, a line for each list; b"" when there are none."""
    native = loops_for(len(data))
    if native and not native.has_list(data):
        return b""
    return b"".join((native.codes if native else codes)(data, bracket, FEWEST) for bracket in _LISTS)


def codes(data: bytes, bracket: bytes, fewest: int) -> bytes:
    """Of the lists behind one kind of bracket. A list ends where a code is none of text."""
    out: list[bytes] = []
    for found in _LISTS[bracket].finditer(data):
        text = bytearray()
        for number in _NUMBER.findall(found[1]):
            value = int(number, 16 if number[1:2] in b"xX" and number[1:2] else 10)
            if value not in _TEXT:
                break
            text.append(value)
        if len(text) >= fewest:
            out.append(bytes(text) + b"\n")
    return b"".join(out)
