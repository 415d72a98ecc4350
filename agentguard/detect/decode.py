"""Views: the forms in which a secret may lie in bytes, each decoded at most once, none larger than it may be.

The raw bytes come first; then, only where there is something to decode: JSON escapes (of JSON within JSON too),
percent, UTF-16, ANSI colour, base64, hex and base32 runs, compressed parts; two decodings deep, JSON escapes and
percent four. Nothing here raises: bytes that do not decode are no view.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from agentguard.detect.decode_runs import SHORTEST, decoded
from agentguard.detect.decompress import MAGICS, inflate

_MAX_VIEWS = 48
_MAX_DEPTH = 4
_MAX_RUNS_DEPTH = 2
_MIN_BUDGET = 4 << 20
_BUDGET_RATIO = 8

_ESCAPE = re.compile(rb"\\(?:u00([0-7][0-9a-fA-F])|x([0-7][0-9a-fA-F])|(.))", re.DOTALL)
_SIMPLE = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}
_CODED = re.compile(rb"\\(?:u00[0-7]|x[0-7])[0-9a-fA-F]")
_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}")
_ANSI = re.compile(rb"\x1b\[[0-9;:?]{0,32}[ -/]{0,4}[@-~]")
_WIDE_MASK = bytes(
    0x30 if byte == 0 else 0x61 if 0x20 <= byte < 0x7F or byte in b"\t\r\n" else 0x2E for byte in range(256)
)
_ENDS_IN_RUN = re.compile(rb"[A-Za-z0-9+/_-]{%d}[\r\n]*\Z" % (SHORTEST // 2))
_WIDE_RUN = re.compile(rb"(?:a0){8,}|(?:0a){8,}")


@dataclass(frozen=True, slots=True)
class View:
    """Bytes to scan, and how they came to be."""

    data: bytes
    encoding: tuple[str, ...] = ()
    """Decodings peeled off, outermost first."""
    cut_at_end: bool = True
    """Whether its end comes from the end of the input, so that more of it may follow there."""


def views(data: bytes) -> Iterator[View]:
    """The raw bytes, then every view below them, breadth first: an earlier view has no longer a chain.

    All views together are at most 8 times the input or 4 MB, whichever is more.
    """
    budget = max(_MIN_BUDGET, len(data) * _BUDGET_RATIO)
    pending = deque([View(data)])
    for _ in range(_MAX_VIEWS):
        if not pending:
            return
        view = pending.popleft()
        yield view
        if len(view.encoding) >= _MAX_DEPTH:
            continue
        for below in _below(view, budget):
            budget -= len(below.data)
            if budget < 0:
                return
            pending.append(below)


def _below(view: View, budget: int) -> Iterator[View]:
    for encoding, decode in _TEXT_DECODERS:
        data = decode(view.data)
        if data is not None:
            yield View(data, (*view.encoding, encoding), view.cut_at_end)
    if _depth(view) >= _MAX_RUNS_DEPTH:
        return
    cut = view.cut_at_end and _ENDS_IN_RUN.search(view.data, max(0, len(view.data) - 2 * SHORTEST)) is not None
    for encoding, data in decoded(view.data, budget).items():
        yield View(data, (*view.encoding, encoding), cut)
    for encoding, data in _compressed(view.data, budget):
        yield View(data, (*view.encoding, encoding), view.cut_at_end)


def _depth(view: View) -> int:
    """Decodings that hide a secret from sight; unescaping text is no depth."""
    return sum(encoding not in ("json", "percent", "ansi") for encoding in view.encoding)


def _unescape(data: bytes) -> bytes | None:
    """JSON (C, shell) escapes resolved once. Much faster than one substitution an escape: there are thousands."""
    if b"\\" not in data:
        return None
    if _CODED.search(data) or b"\0" in data:
        return _ESCAPE.sub(_unescape_one, data)
    out = data.replace(b"\\\\", b"\0")
    for escape, char in _SIMPLE.items():
        out = out.replace(b"\\" + escape, char)
    return out.replace(b"\\", b"").replace(b"\0", b"\\")


def _unescape_one(match: re.Match[bytes]) -> bytes:
    coded = match[1] or match[2]
    return bytes([int(coded, 16)]) if coded else _SIMPLE.get(match[3], match[3])


def _unpercent(data: bytes) -> bytes | None:
    return unquote_to_bytes(data) if b"%" in data and _PERCENT.search(data) else None


def _without_colour(data: bytes) -> bytes | None:
    return _ANSI.sub(b"", data) if b"\x1b[" in data else None


def _narrow(data: bytes) -> bytes | None:
    """UTF-16 runs of ASCII, either byte order, with a mark before them or none, anywhere in the bytes."""
    if b"\0" not in data:
        return None
    mask = data.translate(_WIDE_MASK)
    if b"a0a0a0a0" not in mask and b"0a0a0a0a" not in mask:
        return None
    parts = [data[run.start() + (mask[run.start()] == 0x30) : run.end() : 2] for run in _WIDE_RUN.finditer(mask)]
    return b"\n".join(parts) if parts else None


def _compressed(data: bytes, budget: int) -> Iterator[tuple[str, bytes]]:
    """What begins, at the start of the bytes or of a line, with the magic number of a compressed form."""
    for encoding, magic in MAGICS.items():
        at = data.find(magic)
        if at == 0 or (at > 0 and data[at - 1] == 0x0A):
            plain = inflate(encoding, data[at:], budget)
            if plain:
                yield encoding, plain


_TEXT_DECODERS: tuple[tuple[str, Callable[[bytes], bytes | None]], ...] = (
    ("json", _unescape),
    ("percent", _unpercent),
    ("ansi", _without_colour),
    ("utf-16", _narrow),
)
