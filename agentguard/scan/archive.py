"""What lies in archives: zip (jar, wheel, office document), tar, and what is compressed with gzip, bzip2, xz or zstd.

Nothing is written to the disk, and names are never followed: an archive may be hostile.
"""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Protocol, Self

from agentguard.detect.decompress import DecompressError, decompressor
from agentguard.detect.magics import MAGICS

_STREAMS = {coding: MAGICS[coding] for coding in ("gzip", "xz", "zstd")} | {"bzip2": b"BZh"}
_BZIP2_BLOCK = (b"1AY&SY", b"\x17rE8P\x90")
"""Behind the size of its blocks: the first block, or the end."""
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_UNKNOWN = {b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "rar"}
_MAGICS = (*_STREAMS.values(), *_ZIP, *_UNKNOWN)
_USTAR = 257
"""Where a tar says that it is one."""
_MOST_MEMBERS = 200_000
_LONGEST_HEADER = 1 << 20
"""Of a tar's long names and extended attributes, bytes."""
_READ = 256 << 10
_ENCRYPTED = 1
_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    DecompressError,
    OSError,
    EOFError,
    ValueError,
    LookupError,
    ArithmeticError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
)
"""What the libraries raise on hostile input."""


class ArchiveError(Exception):
    """Why an archive, or a member of one, cannot be looked into: in words; it quotes nothing."""


class Readable(Protocol):
    """As much of a file as is needed."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive. To be read before the next one is asked for."""

    name: str
    """"" of what is only compressed."""
    file: Readable


def is_archive(start: bytes) -> bool:
    """By the first bytes: some hundred of them, as a rule of a whole file."""
    if start.startswith(_MAGICS):
        return not start.startswith(b"BZh") or start.startswith(_BZIP2_BLOCK, 4)
    return start.startswith(b"ustar", _USTAR)


def members(start: bytes, file: IO[bytes] | Readable, room: Callable[[], int]) -> Iterator[Member | ArchiveError]:
    """Every file in an archive, in its order; in place of one that cannot be read, why.

    Args:
        start: what was read of it already.
        file: the rest of it.
        room: bytes that may still come out.

    Raises:
        ArchiveError: it cannot be read from here on.
    """
    for magic, kind in _UNKNOWN.items():
        if start.startswith(magic):
            raise ArchiveError(f"a {kind} archive, which this program cannot open")
    coding = next((coding for coding, magic in _STREAMS.items() if start.startswith(magic)), "")
    with damage_told():
        if coding:
            yield Member("", _Inflated(coding, _Chained(start, file)))
        elif start.startswith(_ZIP):
            yield from _zip(_seekable(start, file, room()))
        else:
            yield from _tar(_Chained(start, file))


@contextmanager
def damage_told() -> Iterator[None]:
    """Whatever a library raises on hostile input becomes an ArchiveError."""
    try:
        yield
    except _DAMAGED as error:
        raise ArchiveError(_words(error)) from None


def _zip(file: IO[bytes]) -> Iterator[Member | ArchiveError]:
    with zipfile.ZipFile(file) as archive:
        for number, info in enumerate(archive.infolist()):
            if number == _MOST_MEMBERS:
                yield ArchiveError(f"more than {_MOST_MEMBERS} files are in it; the rest was not read")
                return
            if info.is_dir():
                continue
            if info.flag_bits & _ENCRYPTED:
                yield ArchiveError(f"{info.filename} is encrypted")
                continue
            try:
                with archive.open(info) as member:
                    yield Member(info.filename, member)
            except _DAMAGED as error:
                yield ArchiveError(f"{info.filename}: {_words(error)}")


class _Header(tarfile.TarInfo):
    """Does not read a name of a gigabyte into memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.size > _LONGEST_HEADER and header.type not in tarfile.SUPPORTED_TYPES[:-3]:
            raise tarfile.ReadError
        return header


def _tar(file: Readable) -> Iterator[Member | ArchiveError]:
    with tarfile.open(fileobj=file, mode="r|", tarinfo=_Header) as archive:  # type: ignore[call-overload]
        for number, info in enumerate(archive):
            if number == _MOST_MEMBERS:
                yield ArchiveError(f"more than {_MOST_MEMBERS} files are in it; the rest was not read")
                return
            archive.members = []  # it would keep all of them
            member = archive.extractfile(info) if info.isfile() else None
            if member is not None:
                yield Member(info.name, member)


def _seekable(start: bytes, file: IO[bytes] | Readable, room: int) -> IO[bytes]:
    """A zip's list of what is in it stands at its end."""
    if isinstance(file, io.BufferedReader) and file.seekable():
        file.seek(0)
        return file
    parts, size = [start], len(start)
    while size <= room and (part := file.read(_READ)):
        parts.append(part)
        size += len(part)
    return io.BytesIO(b"".join(parts))


class _Chained:
    """What was read already, and then the rest."""

    def __init__(self, start: bytes, file: Readable) -> None:
        self._start = start
        self._file = file

    def read(self, size: int, /) -> bytes:
        if not self._start:
            return self._file.read(size)
        part, self._start = self._start[:size], self._start[size:]
        return part if len(part) == size else part + self._file.read(size - len(part))


class _Inflated:
    """What comes out of a compressed stream."""

    def __init__(self, coding: str, file: Readable) -> None:
        self._stream = decompressor(coding)
        self._file = file
        self._pieces: Iterator[bytes] = iter(())
        self._ready = b""

    def read(self, size: int, /) -> bytes:
        parts, missing = [self._ready[:size]], size - len(self._ready)
        self._ready = self._ready[size:]
        while missing > 0:
            piece = next(self._pieces, None)
            if piece is None:
                data = self._file.read(_READ)
                if not data:
                    break
                self._pieces = iter(self._stream.feed(data))
                continue
            parts.append(piece[:missing])
            self._ready = piece[missing:]
            missing -= len(piece)
        return b"".join(parts)


def _words(error: Exception) -> str:
    if isinstance(error, NotImplementedError):
        return "compressed in a way that this program does not know"
    if isinstance(error, DecompressError):
        return f"a damaged archive: {error}"
    return "a damaged archive"
