"""What lies in a zip archive (a jar, a wheel, an office document), entry after entry, as it comes in."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

ENTRY = b"PK\x03\x04"
_HEADER = struct.Struct("<4sHHHHHIIIHH")
_DEFLATED, _STORED = 8, 0
_ENCRYPTED = 1


class ZipError(Exception):
    """Why an entry cannot be read, in words; it quotes nothing."""


class Unzipper:
    """Feed it the archive. Entries that are only stored are not handed out: they stand in the bytes as they are."""

    def __init__(self, piece: int) -> None:
        self._piece = piece
        self._buffer = b""
        self._entry: zlib._Decompress | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The names and the inflated contents of its entries, in pieces of at most `piece` bytes.

        Raises:
            ZipError: an entry is encrypted or compressed in another way.
        """
        self._buffer += data
        while self._buffer:
            if self._entry is None:
                name = self._open()
                if name is None:
                    return
                yield b"\n" + name + b"\n"
            yield from self._inflate()

    def _open(self) -> bytes | None:
        """The name of the next entry; None when its header is not complete yet."""
        at = self._buffer.find(ENTRY)
        if at < 0:
            self._buffer = self._buffer[-len(ENTRY) + 1 :]
            return None
        self._buffer = self._buffer[at:]
        if len(self._buffer) < _HEADER.size:
            return None
        _, _, flags, method, *_, name_length, extra_length = _HEADER.unpack_from(self._buffer)
        end = _HEADER.size + name_length + extra_length
        if len(self._buffer) < end:
            return None
        name = self._buffer[_HEADER.size : _HEADER.size + name_length]
        self._buffer = self._buffer[end:]
        if flags & _ENCRYPTED or method not in (_DEFLATED, _STORED):
            raise ZipError("an entry of a zip archive is encrypted, or compressed in an uncommon way")
        if method == _DEFLATED:
            self._entry = zlib.decompressobj(-zlib.MAX_WBITS)
        return name

    def _inflate(self) -> Iterator[bytes]:
        if self._entry is None:
            return
        while self._buffer and not self._entry.eof:
            try:
                piece = self._entry.decompress(self._buffer, self._piece)
            except zlib.error:
                raise ZipError("an entry of a zip archive is damaged") from None
            self._buffer = self._entry.unconsumed_tail or self._entry.unused_data
            if piece:
                yield piece
        if self._entry.eof:
            self._entry = None
