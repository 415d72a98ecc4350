"""Views of what lies in a file: fewer than of what is sent, and cheap, for a tree holds a thousand times as much.

Nobody hides a key in their own file by taking it apart: it is written down plainly, or as a format has it (escaped in
JSON, percent-coded in a URL, base64 in a manifest). Whatever such a run decodes to is small, and gets every view.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from agentguard.detect.decode import View, Views, narrow_text, unescaped, unpercented, without_colour
from agentguard.detect.decode_runs import decode_runs
from agentguard.detect.loops import loops_for

MOST_DECODED = 64 << 20
"""Bytes that the runs of one file may decode to."""

_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}")
_ESCAPED = re.compile(rb"\\(?:u00[2-7][0-9A-Fa-f]|x[2-7][0-9A-Fa-f]|/)(?:[A-Za-z0-9+/=_-]{4}|\\{1,4}[ux/])")
"""An escape in the middle of a token. Those between tokens (a line's end, a quote) the patterns know to pass over."""
_TOKEN = re.compile(rb"(?:[A-Za-z0-9+/=_-]{4}|\\(?:u00[2-7]|x[2-7])[0-9A-Fa-f]|\\/)\\{0,3}\Z")
_LEFT = 12
_REACH = 1024
"""Bytes looked at around a code."""
_JSON = (b"{", b"[", b'"')


class FileViews:
    """Iterate once: the views of a text but the first, which is the text itself."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.truncated = False
        """Whether a bound kept something from being decoded. Final once the iteration has ended."""

    def __iter__(self) -> Iterator[View]:
        data = self._data
        if (plain := without_colour(data)) is not None:
            yield View(plain, ("ansi",))
        for part in _around(data, _escapes(data)):
            if (decoded := unescaped(part)) is not None:
                yield View(decoded, ("json",))
        for part in _around(data, _percents(data)):
            if (decoded := unpercented(part)) is not None:
                yield View(decoded, ("percent",))
        seen: set[bytes] = set()
        yield from self._runs(View(data), seen)
        if data[:64].lstrip().startswith(_JSON) and (escapes := unescaped(data)) is not None:
            yield from self._runs(View(escapes, ("json",)), seen)

    def _runs(self, text: View, seen: set[bytes]) -> Iterator[View]:
        found, complete = decode_runs(text.data, seen, MOST_DECODED)
        self.truncated = self.truncated or not complete
        for encoding, decoded in found.items():
            views = Views(decoded)
            for view in views:
                yield View(view.data, (*text.encoding, encoding, *view.encoding))
            self.truncated = self.truncated or views.truncated


def binary_view(data: bytes) -> View | None:
    """The UTF-16 text in a binary file; None when there is none."""
    narrow = narrow_text(data)
    return View(narrow, ("utf-16",)) if narrow else None


def _escapes(data: bytes) -> Iterator[re.Match[bytes]]:
    """Where a token is written with an escape in it."""
    native = loops_for(len(data))
    if native is not None and native.escape(data) < 0:
        return
    for found in _ESCAPED.finditer(data):
        if _TOKEN.search(data, max(0, found.start() - _LEFT), found.start()):
            yield found


def _percents(data: bytes) -> Iterator[re.Match[bytes]]:
    native = loops_for(len(data))
    if native is None or native.percent(data, 0) >= 0:
        yield from _PERCENT.finditer(data)


def _around(data: bytes, codes: Iterable[re.Match[bytes]]) -> Iterator[bytes]:
    """The parts of a text in which something is coded: most of a program holds nothing, or one in a megabyte."""
    start = end = 0
    for code in codes:
        if code.start() > end:
            if end:
                yield data[start:end]
            start = max(end, code.start() - _REACH)
        end = code.end() + _REACH
    if end:
        yield data[start:end]
