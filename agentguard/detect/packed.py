"""A body, or a field of one, that is compressed as a whole without a header that says so: an uploaded archive.

Views undo what a window of the text hides; an archive is longer than a window, so it is undone here as it comes in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from agentguard.detect.decompress import MAX_OUTPUT, DecompressError, Decompressor, decompressor
from agentguard.detect.framed import SHORTEST, frame_of
from agentguard.detect.magics import MAGICS
from agentguard.model.secret import SecretMatch

_LONGEST_MAGIC = max(SHORTEST, *map(len, MAGICS.values()))
_CERTAIN = ("zip", "git-push")
"""Whose first bytes no text has by chance."""

_AT_ONCE = 256 << 10
"""Bytes that come out before they are scanned: a scan looks again at the last 4 KB of the one before."""
_TOO_LONG = f"more than {MAX_OUTPUT >> 20} MB come out of it; the rest was not read"


class Text(Protocol):
    """What scans the bytes that come out."""

    truncated: bool

    def feed(self, data: bytes) -> list[SecretMatch]: ...

    def finish(self) -> list[SecretMatch]: ...


class Packed:
    """Feed it the bytes from the first on; it looks at those, and does nothing when they say nothing."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._start: bytes | None = b""
        """The first bytes while there are too few to tell; None afterwards."""
        self.coding = ""
        """What it is compressed as; "" when it is not."""
        self._stream: Decompressor | None = None
        self._size = 0
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._opaque = ""

    @property
    def opaque(self) -> str:
        """Why it could not be read to its end, in words; "" when it was, or was not compressed."""
        return self._opaque or ("more is encoded in it than is decoded" if self._text.truncated else "")

    def feed(self, data: bytes) -> list[SecretMatch]:
        """Matches in what came out."""
        if self._start is not None:
            data = self._start + data
            if len(data) < _LONGEST_MAGIC:
                self._start = data
                return []
            self._begin(data)
        return self._undo(data) if self._stream else []

    def finish(self) -> list[SecretMatch]:
        """Nothing follows."""
        out: list[SecretMatch] = []
        if self._start:
            start = self._start
            self._begin(start)
            out = self._undo(start) if self._stream else []
        return [*out, *self._scan(), *self._named(self._text.finish())] if self.coding else out

    def _begin(self, data: bytes) -> None:
        self._start = None
        self.coding = next((coding for coding, magic in MAGICS.items() if data.startswith(magic)), frame_of(data))
        if self.coding:
            self._stream = decompressor(self.coding)

    def _undo(self, data: bytes) -> list[SecretMatch]:
        assert self._stream is not None
        out: list[SecretMatch] = []
        try:
            for piece in self._stream.feed(data):
                self._size += len(piece)
                self._waiting.append(piece)
                self._waiting_size += len(piece)
                if self._waiting_size >= _AT_ONCE:
                    out += self._scan()
                if self._size > MAX_OUTPUT:
                    self._stream, self._opaque = None, _TOO_LONG
                    break
        except DecompressError as error:
            # Text may begin as an archive does: only what has begun to come out is one.
            self._opaque, self._stream = str(error) if self._size or self.coding in _CERTAIN else "", None
        return out

    def _scan(self) -> list[SecretMatch]:
        data = b"".join(self._waiting)
        self._waiting, self._waiting_size = [], 0
        return self._named(self._text.feed(data))

    def _named(self, matches: list[SecretMatch]) -> list[SecretMatch]:
        return [replace(match, encoding=(self.coding, *match.encoding)) for match in matches]
