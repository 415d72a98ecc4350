"""The forms in which a value may be met: as it is, and encoded, alone or in the middle of something encoded."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Iterator
from urllib.parse import quote_from_bytes

_SHORTEST_FORM = 8
_SHORTEST_CASELESS = 16
"""Host names, HTTP/2 header names and names of variables know one case. Less than this could be a word in the other."""
_HTML_SAFE = (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"))


def forms(value: bytes) -> list[tuple[bytes, tuple[str, ...]]]:
    """(bytes to look for, decodings that lead back to the value), plain first, each different form once."""
    found: dict[bytes, tuple[str, ...]] = {value: ()}
    for form, encoding in _encoded(value):
        if len(form) >= _SHORTEST_FORM:
            found.setdefault(form, (encoding,))
    return list(found.items())


def _encoded(value: bytes) -> Iterator[tuple[bytes, str]]:
    yield from ((form, "json") for form in _json_forms(value))
    yield from ((form, "percent") for form in _percent_forms(value))
    for shift in range(3):
        inner = _base64_inside(value, shift)
        yield inner, "base64"
        yield inner.translate(_TO_URL_SAFE), "base64url"
    yield value.hex().encode(), "hex"
    yield value.hex().upper().encode(), "hex"
    yield value[::-1], "reversed"
    yield value.translate(_ROT13), "rot13"
    if len(value) >= _SHORTEST_CASELESS:
        yield value.lower(), "lower-case"
        yield value.upper(), "upper-case"


_UPPER, _LOWER = string.ascii_uppercase.encode(), string.ascii_lowercase.encode()
_ROT13 = bytes.maketrans(_UPPER + _LOWER, _UPPER[13:] + _UPPER[:13] + _LOWER[13:] + _LOWER[:13])
_TO_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _base64_inside(value: bytes, shift: int) -> bytes:
    """The characters that only the value decides when `shift` bytes (mod 3) precede it and anything follows it.

    A base64 character carries six bits: one that holds bits of a neighbour too is cut off.
    """
    encoded = base64.b64encode(b"\0" * shift + value)
    return encoded[-(-shift * 8 // 6) : (shift + len(value)) * 8 // 6]


def _json_forms(value: bytes) -> Iterator[bytes]:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return
    ascii_only, readable = json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]
    yield ascii_only.encode()
    yield readable.encode()
    yield readable.replace("/", "\\/").encode()
    yield ascii_only.replace("/", "\\/").encode()
    for plain, escaped in _HTML_SAFE:
        readable = readable.replace(plain, escaped)
    yield readable.encode()
    # JSON inside JSON: a tool's result in a request's body
    yield json.dumps(ascii_only)[1:-1].encode()


def _percent_forms(value: bytes) -> Iterator[bytes]:
    for safe in ("", "/", "!~*'()"):
        quoted = quote_from_bytes(value, safe=safe).encode()
        yield quoted
        yield quoted.replace(b"%20", b"+")
    yield _lower_escapes(quote_from_bytes(value, safe=""))


def _lower_escapes(quoted: str) -> bytes:
    head, *rest = quoted.split("%")
    return (head + "".join("%" + part[:2].lower() + part[2:] for part in rest)).encode()
