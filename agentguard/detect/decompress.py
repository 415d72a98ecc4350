"""Content codings, undone piece by piece within a bound: a bomb becomes a reason, not memory."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator
from typing import Protocol

import brotli  # type: ignore[import-untyped]
import zstandard

from agentguard.detect.framed import Framed, FrameError
from agentguard.detect.unzip import Unzipper, ZipError

MAX_OUTPUT = 64 << 20
"""Bytes out of one body. What lies beyond is not read, and said to be opaque."""
PIECE = 256 << 10

CODINGS = ("gzip", "x-gzip", "deflate", "br", "zstd")


class DecompressError(Exception):
    """Why a body cannot be decompressed, in words; it quotes nothing."""


class Decompressor(Protocol):
    """One coding of one body."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Pieces of at most about `PIECE` bytes.

        Raises:
            DecompressError: the bytes are not of this coding.
        """


def decompressor(coding: str) -> Decompressor:
    """For a token of Content-Encoding, a name in `magics.MAGICS`, or what `framed.frame_of` says.

    Raises:
        DecompressError: the coding is not known.
    """
    if coding in ("gzip", "x-gzip"):
        return _Zlib("gzip", (zlib.MAX_WBITS | 16,))
    if coding == "deflate":
        return _Zlib("deflate", (zlib.MAX_WBITS, -zlib.MAX_WBITS))  # with zlib's header, and as some send it, without
    if coding == "br":
        return _Brotli()
    if coding == "zstd":
        return _Zstd()
    if coding == "xz":
        return _Xz()
    if coding == "bzip2":
        return _Bzip2()
    if coding == "zip":
        return _Zip()
    if coding in ("git-push", "crate"):
        return _Framed(coding)
    raise DecompressError("its content encoding is not known")


def inflate(coding: str, data: bytes, limit: int) -> bytes:
    """The first `limit` bytes of what `data` decompresses to; what came before an error counts."""
    parts: list[bytes] = []
    size = 0
    try:
        for piece in decompressor(coding).feed(data):
            parts.append(piece)
            size += len(piece)
            if size >= limit:
                break
    except DecompressError:
        pass
    return b"".join(parts)[:limit]


class _Zlib:
    """gzip (several members too) and deflate."""

    def __init__(self, name: str, window_bits: tuple[int, ...]) -> None:
        self._name = name
        self._choices = list(window_bits)
        self._bits = self._choices.pop(0)
        self._stream = zlib.decompressobj(self._bits)
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._stream.eof:
                if not data.strip(b"\0"):
                    return
                self._stream = zlib.decompressobj(self._bits)
            try:
                piece = self._stream.decompress(data, PIECE)
            except zlib.error:
                self._next_choice()
                continue
            self._begun = self._begun or bool(piece)
            data = self._stream.unconsumed_tail or self._stream.unused_data
            if piece:
                yield piece

    def _next_choice(self) -> None:
        if self._begun or not self._choices:
            raise DecompressError(f"not valid {self._name}") from None
        self._bits = self._choices.pop(0)
        self._stream = zlib.decompressobj(self._bits)


_BROTLI_IS_BOUNDED = tuple(map(int, brotli.__version__.split(".")[:2])) >= (1, 2)
_SLICE = 64


class _Brotli:
    def __init__(self) -> None:
        self._stream = brotli.Decompressor()

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            yield from self._pieces(data) if _BROTLI_IS_BOUNDED else self._slices(data)
        except brotli.error:
            raise DecompressError("not valid brotli") from None

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        while piece := self._stream.process(data, output_buffer_limit=PIECE):
            yield piece  # the binding says it can accept more while it still holds output
            data = b""

    def _slices(self, data: bytes) -> Iterator[bytes]:
        """brotli 1.1 cannot bound its output: so little goes in at a time that a bomb is noticed early."""
        for start in range(0, len(data), _SLICE):
            yield self._stream.process(data[start : start + _SLICE])


class _Xz:
    _MEMORY = 64 << 20

    def __init__(self) -> None:
        self._stream = lzma.LZMADecompressor(memlimit=self._MEMORY)

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            while not self._stream.eof and (piece := self._stream.decompress(data, PIECE)):
                yield piece
                data = b""
        except lzma.LZMAError:
            raise DecompressError("not valid xz") from None


class _Bzip2:
    def __init__(self) -> None:
        self._stream = bz2.BZ2Decompressor()

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            while not self._stream.eof and (piece := self._stream.decompress(data, PIECE)):
                yield piece
                data = b""
        except OSError:
            raise DecompressError("not valid bzip2") from None


class _Zip:
    def __init__(self) -> None:
        self._stream = Unzipper(PIECE)

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            yield from self._stream.feed(data)
        except ZipError as error:
            raise DecompressError(str(error)) from None


class _Framed:
    def __init__(self, frame: str) -> None:
        self._stream = Framed(frame)

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            yield from self._stream.feed(data)
        except FrameError as error:
            raise DecompressError(str(error)) from None


class _Zstd:
    """The binding has no bound on one call's output: it is fed little at a time, and the window is bounded."""

    _INPUT = 256
    _WINDOW = 32 << 20

    def __init__(self) -> None:
        self._stream = self._new()

    def _new(self) -> zstandard.ZstdDecompressionObj:
        return zstandard.ZstdDecompressor(max_window_size=self._WINDOW).decompressobj(read_across_frames=True)

    def feed(self, data: bytes) -> Iterator[bytes]:
        for at in range(0, len(data), self._INPUT):
            try:
                piece = self._stream.decompress(data[at : at + self._INPUT])
            except zstandard.ZstdError:
                raise DecompressError("not valid zstd") from None
            if piece:
                yield piece
