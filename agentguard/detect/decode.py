"""Views: the forms in which a secret may lie in bytes, made only where there is something to decode, within a bound.

Of each text there is one line of views: as it stands; escapes resolved (JSON, and JSON within JSON, at once); percent
resolved; colour removed; each upon the one before. What a view hides (runs of base64, hex and base32, UTF-16,
compressed parts) is decoded to further texts, two deep. Nothing here raises: bytes that do not decode are no view.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from agentguard.detect.codes import decode_codes
from agentguard.detect.decode_runs import SHORTEST, decode_runs
from agentguard.detect.long_words import long_words
from agentguard.detect.loops import loops_for
from agentguard.detect.magics import MAGICS
from agentguard.detect.parts import Codes, resolve_parts
from agentguard.detect.pieces import join_pieces

_MOST_HIDDEN = 2
"""Hidings undone one upon the other; escapes do not count."""
_MOST_TEXTS = 64
_MIN_BUDGET = 4 << 20
_BUDGET_RATIO = 8

_CODED = re.compile(rb"u00([0-7][0-9a-fA-F])|x([0-7][0-9a-fA-F])")
_CONTROL = {ord("n"): b"\n", ord("t"): b"\t", ord("r"): b"\r"}
_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}")
_PERCENT_AGAIN = re.compile(rb"%(?:25)+(?=[0-9A-Fa-f]{2})")
_PERCENT_BACKSLASH = re.compile(rb"%5[Cc]")
_ANSI = re.compile(rb"\x1b\[[0-9;:?]{0,32}[ -/]{0,4}[@-~]")
_WIDE_MASK = bytes(
    0x30 if byte == 0 else 0x61 if 0x20 <= byte < 0x7F or byte in b"\t\r\n" else 0x2E for byte in range(256)
)
"""Zero becomes `0`, printable ASCII `a`, all else a dot."""
_WIDE_RUN = re.compile(rb"(?:a0){8,}|(?:0a){8,}")
_ZEROS = bytes(8)
_MAGICS = tuple(MAGICS.values())
_PAIRS = b"".join(magic[:2] for magic in _MAGICS)
_ENDS_IN_RUN = re.compile(rb"[A-Za-z0-9+/_-]{12}=*[\r\n]*\Z")


@dataclass(frozen=True, slots=True)
class View:
    """Bytes to scan, and how they came to be."""

    data: bytes
    encoding: tuple[str, ...] = ()
    """Decodings peeled off, outermost first."""
    cut_at_end: bool = True
    """Whether its end comes from the end of the input, so that more of it may follow there."""
    in_parts: bool = False
    """Whether it is the parts of a text that a decoding changed (`resolve_parts`)."""
    from_parts: bool = False
    """Whether it was hidden in such parts, whose ends may have cut it."""
    words: bytes | None = None
    """Its long words (`long_words`), where they are known."""


class Views:
    """Iterate once: the views of `data`, the raw bytes first; what lies deeper later.

    All decoded texts together are at most 8 times the input or 4 MB, whichever is more.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._budget = max(_MIN_BUDGET, len(data) * _BUDGET_RATIO)
        self.truncated = False
        """Whether the bound kept something from being decoded. Final once the iteration has ended."""

    def __iter__(self) -> Iterator[View]:
        pending = deque([(View(self._data), 0)])
        seen: set[bytes] = set()
        for _ in range(_MOST_TEXTS):
            if not pending:
                return
            text, depth = pending.popleft()
            undone: set[str] = set()
            for plain in _text_views(text):
                view = replace(plain, words=long_words(plain.data))
                yield view
                if depth < _MOST_HIDDEN:
                    pending.extend((below, depth + 1) for below in self._hidden(view, seen, undone))
        self.truncated = self.truncated or bool(pending)

    def _hidden(self, view: View, seen: set[bytes], undone: set[str]) -> Iterator[View]:
        """Texts that a view hides, as far as the budget goes.

        Args:
            seen: runs that were decoded already, in any view.
            undone: compressed forms that an earlier view of this text held: in a later one they are damaged.
        """
        ends_in_run = view.cut_at_end and _ENDS_IN_RUN.search(view.data, max(0, len(view.data) - 2 * SHORTEST))
        found, complete = decode_runs(view.data if view.words is None else view.words, seen, self._budget)
        self.truncated = self.truncated or not complete
        for encoding, data in found.items():
            yield self._child(view, encoding, data, cut=ends_in_run is not None)
        joined = b"" if "pieces" in view.encoding else join_pieces(view.data)
        if joined:
            yield self._child(view, "pieces", joined, cut=view.cut_at_end)
        listed = decode_codes(view.data)
        if listed:
            yield self._child(view, "codes", listed, cut=view.cut_at_end)
        for encoding, data in _other_hidings(view.data, self._budget, undone):
            self.truncated = self.truncated or len(data) >= self._budget
            goes_on = encoding != "utf-16" or b"\0" in view.data[-2:]
            yield self._child(view, encoding, data, cut=view.cut_at_end and goes_on)

    def _child(self, view: View, encoding: str, data: bytes, *, cut: bool) -> View:
        self._budget = max(0, self._budget - len(data))
        return View(data, (*view.encoding, encoding), cut, from_parts=view.in_parts or view.from_parts)


def _text_views(text: View) -> Iterator[View]:
    """The text as it stands, then each decoding upon the one before, where it changes anything."""
    yield text
    data, chain, decoders = text.data, text.encoding, list(_TEXT_DECODERS)
    for encoding, codes in decoders:
        resolved = resolve_parts(data, codes)
        if resolved is None:
            continue
        if encoding == "percent" and _PERCENT_BACKSLASH.search(data):
            decoders.append(_TEXT_DECODERS[0])
        data, chain = resolved.whole, (*chain, encoding)
        in_parts = resolved.changed is not data
        yield View(resolved.changed, chain, text.cut_at_end, in_parts=in_parts, from_parts=text.from_parts)


def unescaped(data: bytes) -> bytes | None:
    """As `unescape`, by the loops in C where they are at hand; None when there is nothing to resolve."""
    if b"\\" not in data:
        return None
    native = loops_for(len(data))
    return native.unescape(data) if native else unescape(data)


def unescape(data: bytes) -> bytes:
    r"""Escapes of JSON (C, shells) resolved at every depth of nesting at once: `\n`, `\\n` and `\\\\n` are a line end.

    Thousands of escapes are ordinary: splitting costs a fraction of a substitution each.
    """
    first, *parts = data.split(b"\\")
    out = [first]
    for part in parts:
        if not part:
            continue
        char = _CONTROL.get(part[0])
        if char is not None:
            out.append(char + part[1:])
        elif part[0] in b"ux" and (coded := _CODED.match(part)):
            out.append(bytes([int(coded[1] or coded[2], 16)]) + part[coded.end() :])
        else:
            out.append(part)
    return b"".join(out)


def unpercented(data: bytes) -> bytes | None:
    """As `unpercent`, by the loops in C where they are at hand; None when there is nothing to resolve."""
    if b"%" not in data or _percent_at(data, 0) < 0:
        return None
    native = loops_for(len(data))
    return native.unpercent(data) if native else unpercent(data)


def unpercent(data: bytes) -> bytes:
    """Percent codes resolved, those of a percent sign before another code at once."""
    single = _PERCENT_AGAIN.sub(b"%", data) if b"%25" in data else data
    return _PERCENT.sub(lambda code: bytes((int(code[0][1:], 16),)), single)


def _percent_at(data: bytes, start: int) -> int:
    """Where the first percent code from `start` on begins; -1 when there is none."""
    if native := loops_for(len(data)):
        return native.percent(data, start)
    code = _PERCENT.search(data, start)
    return code.start() if code else -1


def without_colour(data: bytes) -> bytes | None:
    """Escape sequences of a terminal removed; None when there are none."""
    return _ANSI.sub(b"", data) if b"\x1b" in data else None


def _other_hidings(data: bytes, budget: int, undone: set[str]) -> Iterator[tuple[str, bytes]]:
    """UTF-16 anywhere; what begins, at the start of the bytes or of a line, as a compressed form does."""
    narrow = narrow_text(data) if b"\0" in data and data.count(b"\0") >= len(_ZEROS) else None
    if narrow:
        yield "utf-16", narrow
    packed = _packed(data)
    if not packed:
        return
    from agentguard.detect.decompress import inflate  # noqa: PLC0415 (slow to import, for a commit hook)

    for encoding, at in packed.items():
        plain = inflate(encoding, data[at:], budget) if encoding not in undone else b""
        if plain:
            undone.add(encoding)
            yield encoding, plain


def _packed(data: bytes) -> dict[str, int]:
    """Where something compressed begins, the first of each coding."""
    if data.isascii():  # nothing compressed is, and that costs less to know than where each may begin
        return {}
    native = loops_for(len(data))
    if native is None:
        first = {coding: _line_start(data, magic) for coding, magic in MAGICS.items()}
        return {coding: at for coding, at in first.items() if at >= 0}
    found = [at for at in native.starts(data, _PAIRS) if data.startswith(_MAGICS, at)]
    first = {coding: next((at for at in found if data.startswith(magic, at)), -1) for coding, magic in MAGICS.items()}
    return {coding: at for coding, at in first.items() if at >= 0}


def _line_start(data: bytes, magic: bytes) -> int:
    if data.startswith(magic):
        return 0
    return at + 1 if (at := data.find(b"\n" + magic)) >= 0 else -1


def narrow_text(data: bytes) -> bytes | None:
    """UTF-16 runs of ASCII, either byte order, with a mark before them or none; None when there are none."""
    native = loops_for(len(data))
    return (native.narrow(data, len(_ZEROS)) if native else narrow(data)) or None


def narrow(data: bytes) -> bytes:
    """Every run of 8 characters of ASCII or more in UTF-16, a line each."""
    if not any(_ZEROS in data[odd::2] for odd in (0, 1)):
        return b""
    mask = data.translate(_WIDE_MASK)
    return b"\n".join(
        data[run.start() + (mask[run.start()] == 0x30) : run.end() : 2] for run in _WIDE_RUN.finditer(mask)
    )


class _Marked:
    """Codes that begin with a byte that hardly anything else does."""

    def __init__(self, mark: bytes, resolve: Callable[[bytes], bytes | None]) -> None:
        self._mark = mark
        self.resolve = resolve

    def first(self, data: bytes, start: int) -> int:
        """As `Codes.first`."""
        return data.find(self._mark, start)

    def last(self, data: bytes, start: int, end: int) -> int:
        """As `Codes.last`."""
        return data.rfind(self._mark, start, end)


class _PercentCodes:
    """A percent sign alone is nothing: programs and prose are full of it."""

    def first(self, data: bytes, start: int) -> int:
        """As `Codes.first`."""
        return _percent_at(data, start) if b"%" in data else -1

    def last(self, data: bytes, start: int, end: int) -> int:
        """As `Codes.last`."""
        return max((code.start() for code in _PERCENT.finditer(data, start, end)), default=-1)

    def resolve(self, data: bytes) -> bytes | None:
        """As `Codes.resolve`."""
        return unpercented(data)


_TEXT_DECODERS: tuple[tuple[str, Codes], ...] = (
    ("json", _Marked(b"\\", unescaped)),
    ("percent", _PercentCodes()),
    ("ansi", _Marked(b"\x1b", without_colour)),
)
