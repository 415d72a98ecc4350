"""Takes a multipart body apart as it comes in: which bytes belong to which field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BOUNDARY = re.compile(r"""(?i)multipart/[^;]*;.*?\bboundary=(?:"([^"]{1,200})"|([^\s;,"]{1,200}))""")
_FIELD = re.compile(rb'(?i)content-disposition:[^\r\n]*?[; \t]name="?([^"\r\n;]{1,200})')
_MOST_HEADER = 16 << 10


@dataclass(frozen=True, slots=True)
class PartPiece:
    """Bytes of one part."""

    part: int
    """0 is the preamble, then 1, 2, ..."""
    header: bytes
    """Its header, whole."""
    data: bytes


def boundary_of(content_type: str) -> bytes | None:
    """The boundary of a multipart content type; None for everything else."""
    found = _BOUNDARY.match(content_type.strip())
    return (found[1] or found[2]).encode("utf-8", "surrogateescape") if found else None


def field_of(header: bytes) -> str:
    """The field's name in a part's header; "" when it has none."""
    found = _FIELD.search(header)
    return found[1].decode("utf-8", "backslashreplace") if found else ""


class PartSplitter:
    """Feed it the body; it hands out the parts' bytes, holding back no more than could be part of a boundary."""

    def __init__(self, boundary: bytes) -> None:
        self._delimiter = b"--" + boundary
        self._buffer = b""
        self._part = 0
        self._header: bytes | None = b""
        """None while it is being read."""

    def feed(self, data: bytes, *, final: bool = False) -> Iterator[PartPiece]:
        """The pieces that `data` completes; with `final` all that is left."""
        self._buffer += data
        while True:
            if self._header is None and not self._read_header(final=final):
                return
            at = self._buffer.find(self._delimiter)
            if at < 0:
                break
            yield self._piece(self._line_end_before(at))
            self._buffer = self._buffer[at + len(self._delimiter) :]
            self._part, self._header = self._part + 1, None
        keep = 0 if final else len(self._delimiter) + 2
        if len(self._buffer) > keep:
            yield self._piece(end := len(self._buffer) - keep)
            self._buffer = self._buffer[end:]

    def _line_end_before(self, at: int) -> int:
        """The line end before a boundary belongs to the boundary; an archive would not be whole with it."""
        if self._buffer.endswith(b"\r\n", 0, at):
            return at - 2
        return at - 1 if self._buffer.endswith(b"\n", 0, at) else at

    def _piece(self, end: int) -> PartPiece:
        return PartPiece(self._part, self._header or b"", self._buffer[:end])

    def _read_header(self, *, final: bool) -> bool:
        """Whether the header is complete. One that never ends is taken for body."""
        ends = [(at, len(end)) for end in (b"\r\n\r\n", b"\n\n") if (at := self._buffer.find(end)) >= 0]
        if ends:
            at, length = min(ends)
            self._header, self._buffer = self._buffer[:at], self._buffer[at + length :]
            return True
        if final or len(self._buffer) > _MOST_HEADER:
            self._header = b""
            return True
        return False
