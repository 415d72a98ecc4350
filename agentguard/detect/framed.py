"""Packed data behind a frame of its protocol: what `git push` and `cargo publish` send.

A pack may hold a file as its difference to an older one. What the difference adds is read; a value that shares a run of
bytes with the older file, which the server has and we do not, is not seen whole.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Generator, Iterator

PIECE = 256 << 10
SHORTEST = 140
"""Bytes that tell a push: its first line begins with a length, a ref's old and new state, and the ref."""
_PUSH = re.compile(rb"[0-9a-f]{4}(?:(?:[0-9a-f]{40}|[0-9a-f]{64}) [0-9a-f]+ refs/|shallow [0-9a-f]{40}|push-cert\0)")
_SHA256 = b"object-format=sha256"
_LONGEST_HEADER = 1 << 20
"""Of a crate's description, bytes."""
_LONGEST_DIFFERENCE = 1 << 20
"""Bytes of one difference that is taken apart; a longer one is handed out as it stands."""
_SLICE = 16 << 10
_GZIP = zlib.MAX_WBITS | 16
_OFFSET_DIFFERENCE, _ID_DIFFERENCE = 6, 7
_WHOLE = range(1, 5)
"""Kinds of object in a pack: commit, tree, blob, tag."""

_Steps = Generator[bytes | None, None, None]
"""Hands out what was packed; None where it waits for more of the body."""


class FrameError(Exception):
    """Why a frame cannot be followed, in words; it quotes nothing."""


def frame_of(start: bytes) -> str:
    """`git-push` or `crate`, by the first `SHORTEST` bytes of a body; "" when it is neither."""
    if _PUSH.match(start):
        return "git-push"
    if start[4:6] == b'{"' and int.from_bytes(start[:4], "little") < _LONGEST_HEADER:
        return "crate"
    return ""


class Framed:
    """Feed it the body; what is packed in it comes out in pieces of at most about `PIECE` bytes.

    Args:
        frame: what `frame_of` said.
    """

    def __init__(self, frame: str) -> None:
        self._data = b""
        self._at = 0
        self._steps = self._push() if frame == "git-push" else self._crate()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What comes out of these bytes.

        Raises:
            FrameError: they are not of this frame.
        """
        self._data = self._data[self._at :] + data
        self._at = 0
        try:
            while (piece := next(self._steps, None)) is not None:
                yield piece
        except (zlib.error, ValueError):
            raise FrameError("what is packed in it is damaged") from None

    def _crate(self) -> _Steps:
        """A length, a description, a length, a gzipped tar."""
        size = yield from self._take(4)
        yield from self._take(int.from_bytes(size, "little") + 4)
        yield from self._inflate(_GZIP)

    def _push(self) -> _Steps:
        """Lines that say what moves where, then the pack; none when refs are only deleted."""
        id_bytes = 20
        while (word := (yield from self._take(4))) != b"PACK":
            line = yield from self._take(max(0, int(word, 16) - 4))
            id_bytes = 32 if _SHA256 in line else id_bytes
        head = yield from self._take(8)
        for _ in range(int.from_bytes(head[4:], "big")):
            byte = first = (yield from self._take(1))[0]
            while byte & 0x80:
                byte = (yield from self._take(1))[0]
            kind = first >> 4 & 7
            if kind in _WHOLE:
                yield from self._inflate(zlib.MAX_WBITS)
            elif kind == _ID_DIFFERENCE:
                yield from self._take(id_bytes)
                yield from self._difference()
            elif kind == _OFFSET_DIFFERENCE:
                while (yield from self._take(1))[0] & 0x80:
                    pass
                yield from self._difference()
            else:
                raise FrameError("it holds an object of an unknown kind")

    def _difference(self) -> _Steps:
        whole = b""
        for piece in self._inflate(zlib.MAX_WBITS):
            if piece is None or len(whole) > _LONGEST_DIFFERENCE:
                yield piece
            else:
                whole += piece
        yield added(whole)

    def _take(self, count: int) -> Generator[None, None, bytes]:
        while len(self._data) - self._at < count:
            yield None
        self._at += count
        return self._data[self._at - count : self._at]

    def _inflate(self, window_bits: int) -> _Steps:
        stream = zlib.decompressobj(window_bits)
        while not stream.eof:
            given = stream.unconsumed_tail or self._data[self._at : self._at + _SLICE]
            if not given:
                yield None
                continue
            fresh = 0 if stream.unconsumed_tail else len(given)
            piece = stream.decompress(given, PIECE)
            self._at += fresh - len(stream.unused_data)
            if piece:
                yield piece


def added(difference: bytes) -> bytes:
    """What a difference of git's adds; a line end where it takes something from the older file.

    Raises:
        ValueError: it is damaged.
    """
    parts: list[bytes] = []
    at = 0
    for _ in range(2):  # the sizes before and after
        while at < len(difference) and difference[at] & 0x80:
            at += 1
        at += 1
    while at < len(difference):
        code = difference[at]
        at += 1
        if code & 0x80:
            at += (code & 0x7F).bit_count()
            parts.append(b"\n")
        elif code:
            parts.append(difference[at : at + code])
            at += code
        else:
            raise ValueError("a reserved instruction")
    return b"".join(parts)
