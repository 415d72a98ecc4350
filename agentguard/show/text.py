"""Makes text that an agent could choose (names, paths, hosts, command lines) harmless to show."""

from __future__ import annotations

import unicodedata

LONGEST = 4_000
"""Characters of one value that are ever shown."""

_BLANK = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters by their category, nothing to the eye."""

_MAX_MARKS = 3
"""Combining marks on one character: enough for any script, too few to paint over other lines."""


def safe(text: str) -> str:
    """`text` on one line, with everything a terminal or an eye could be fooled by spelled out.

    Control characters, escapes, bidirectional and zero-width controls, blanks that look like nothing, and what
    Unicode has not assigned become visible: `\\x1b`, `\\u202e`. HTML is not escaped here: that depends on the place.
    """
    if len(text) > LONGEST:
        text = text[: LONGEST - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    out: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if category == "Zs":
            out.append(" ")
        elif category[0] in "CZ" or char in _BLANK or marks > _MAX_MARKS:
            out.append(_spelled(char))
        else:
            out.append(char)
    return "".join(out)


def _spelled(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def shortened(text: str, width: int) -> str:
    """`text`, or its beginning and its end with `…` between them, in at most `width` characters (2 at least)."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return text[: width - 1 - tail] + "…" + text[len(text) - tail :]
