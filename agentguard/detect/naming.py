"""The variable, field or header a secret stands under, and the host that its own URL names."""

from __future__ import annotations

import re

_REACH = 160
_NAME = re.compile(
    rb"(?<![A-Za-z_])([A-Za-z_][A-Za-z0-9_.-]{0,63})"
    rb"(?:\\{0,6}[\"'`]|%22|\\{1,6}u0022)?[ \t]{0,4}(?:=>|:=|[:=]|%3[DdAa])[ \t\r\n]{0,4}[bBrRuU]{0,2}"
    rb"(?:\\{0,6}[\"'`]|%22|\\{1,6}u0022)?(?i:(?:bearer|token|basic|bot)(?:[ \t]|%20|\+))?\Z"
)
_ESCAPE = re.compile(rb"\A(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[abfnrtv])")
_DEFAULT = re.compile(rb"[\"']([A-Z][A-Z0-9]*_[A-Z0-9_]{1,62})[\"']\s{0,4},\s{0,80}[bBrRuU]{0,2}[\"']\Z")
"""`getenv("API_KEY", "…")`: a variable, and what stands in where it is not set."""
_HOST = re.compile(rb"@([A-Za-z0-9][A-Za-z0-9.-]{0,252})")
_LONGEST_PLAIN = 24


def name_before(data: bytes, start: int) -> str:
    """`OPENAI_API_KEY` of `OPENAI_API_KEY=…`, `api_key` of `"api_key": "…"`; "" when none is in sight."""
    reach = max(0, start - _REACH)
    found = _NAME.search(data, reach, start) or _DEFAULT.search(data, reach, start)
    if found is None:
        return ""
    name = found[1]
    if data[found.start() - 1 : found.start()] == b"\\":  # in JSON the line before ends in `\n`, or in `\u000a`
        name = _ESCAPE.sub(b"", name)
    return "" if _looks_random(name) else name.decode("ascii")


def host_of_url(data: bytes, start: int, end: int) -> tuple[str, ...]:
    """The host in the URL that a password stands in: `data[start:end]` is the URL, or the password before its `@`."""
    found = _HOST.search(data, start, end) or _HOST.match(data, end)
    return (found[1].decode("ascii").lower().rstrip("."),) if found else ()


def _looks_random(name: bytes) -> bool:
    """A name is shown; what could be a value itself is not."""
    digits = sum(byte in b"0123456789" for byte in name)
    words = max(map(len, re.split(rb"[_.-]", name)))
    return words > _LONGEST_PLAIN or digits > max(3, len(name) // 4)
