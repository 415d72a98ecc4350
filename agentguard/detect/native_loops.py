"""The decoder's loops in C (native/views.c), where they were compiled."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from typing import Any

_AT_ONCE = 512
"""Spans of one call."""
_KEPT = 2 << 20
"""Bytes of the buffer that each thread keeps: fresh memory costs more than what is done in it."""
_FEWEST_QUOTES = 3
_PIECE, _SLOT = 16, 20
"""Bytes of the structures of the same names."""
_BYTES, _ROOM, _SIZE, _SMALL, _BYTE = (
    ctypes.c_char_p,
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_uint32,
    ctypes.c_uint8,
)
_Spans = ctypes.c_size_t * (2 * _AT_ONCE)


class Loops:
    """A loaded library. Any number of threads; the calls release Python's lock."""

    def __init__(self, path: str) -> None:
        library = ctypes.CDLL(path)
        self._local = threading.local()
        self._unescape = _function(library.agentguard_unescape, _BYTES, _SIZE, _ROOM)
        self._runs = _function(library.agentguard_runs, _BYTES, _SIZE, _SIZE, _SIZE, _SIZE, _SIZE, _ROOM)
        self._start = _function(library.agentguard_start, _BYTES, _SIZE, _SIZE, _BYTES, _SIZE)
        self._words = _function(library.agentguard_words, _BYTES, _SIZE, _SIZE, _SIZE, _ROOM)
        self._percent = _function(library.agentguard_percent, _BYTES, _SIZE, _SIZE)
        self._escape = _function(library.agentguard_escape, _BYTES, _SIZE)
        self._unpercent = _function(library.agentguard_unpercent, _BYTES, _SIZE, _ROOM)
        self._quotes = _function(library.agentguard_quotes, _BYTES, _SIZE, _BYTE)
        self._join = _function(
            library.agentguard_join, _BYTES, _SMALL, _BYTE, _ROOM, _ROOM, _SMALL, _SMALL, _SMALL, _SMALL, _ROOM
        )
        self._lists = _function(library.agentguard_lists, _BYTES, _SIZE)
        self._codes = _function(library.agentguard_codes, _BYTES, _SIZE, _BYTE, _SIZE, _ROOM)
        self._narrow = _function(library.agentguard_narrow, _BYTES, _SIZE, _SIZE, _ROOM)

    def unescape(self, data: bytes) -> bytes:
        """As `decode.unescape`."""
        out = self._room(len(data))
        return ctypes.string_at(out, self._unescape(data, len(data), out))

    def join(self, data: bytes, quote: bytes, most_gap: int, nearest: int, most: int) -> bytes:
        """As `pieces.join`."""
        pieces = self._quotes(data, len(data), quote[0])
        if pieces < _FEWEST_QUOTES:
            return b""
        slots = 1 << pieces.bit_length()
        room = bytearray(_PIECE * pieces + _SLOT * slots)
        at = ctypes.addressof(ctypes.c_char.from_buffer(room))
        out = self._room(len(data))
        size = self._join(data, len(data), quote[0], at, at + _PIECE * pieces, slots - 1, most_gap, nearest, most, out)
        return ctypes.string_at(out, size)

    def has_list(self, data: bytes) -> bool:
        """Whether there may be a list of codes, of two or more."""
        return bool(self._lists(data, len(data)))

    def codes(self, data: bytes, bracket: bytes, fewest: int) -> bytes:
        """As `codes.codes`."""
        out = self._room(len(data))
        return ctypes.string_at(out, self._codes(data, len(data), bracket[0], fewest, out))

    def narrow(self, data: bytes, shortest: int) -> bytes:
        """As `decode.narrow`."""
        out = self._room(len(data))
        return ctypes.string_at(out, self._narrow(data, len(data), shortest, out))

    def _room(self, size: int) -> ctypes.Array[ctypes.c_char]:
        """A buffer of this thread's, for what comes out."""
        out: ctypes.Array[ctypes.c_char] | None = getattr(self._local, "out", None)
        if out is None or len(out) < size:
            out = ctypes.create_string_buffer(1 << size.bit_length())
            if size <= _KEPT:
                self._local.out = out
        return out

    def spans(self, data: bytes, shortest: int, line: int) -> Iterator[tuple[int, int]]:
        """As `decode_runs.spans`, without those that decode to nothing, as far as letters show it.

        A run of `line` characters or more, which may go on over the line end behind it, is never left out.
        """
        start, found = 0, _AT_ONCE
        while found == _AT_ONCE:
            spans = _Spans()
            found = self._runs(data, len(data), start, shortest, line, _AT_ONCE, spans)
            flat = spans[: 2 * found]
            yield from zip(flat[::2], flat[1::2], strict=True)
            start = flat[-1] if flat else 0

    def words(self, data: bytes, shortest: int, line: int) -> bytes:
        """The words (`long_words`) of `shortest` bytes or more, a blank behind each; behind one of `line` bytes or more
        that ends its line a line end, and the word that the next one begins with."""
        out = self._room(len(data) + 1)
        return ctypes.string_at(out, self._words(data, len(data), shortest, line, out))

    def percent(self, data: bytes, start: int) -> int:
        """Where the first percent sign from `start` on stands before two hex digits; -1 when there is none."""
        at = self._percent(data, len(data), start)
        return at if at < len(data) else -1

    def escape(self, data: bytes) -> int:
        """Where the first escape stands that a token goes on behind, as `file_views` looks for them; -1 when there is
        none."""
        at = self._escape(data, len(data))
        return at if at < len(data) else -1

    def unpercent(self, data: bytes) -> bytes:
        """As `decode.unpercent`."""
        out = self._room(len(data))
        return ctypes.string_at(out, self._unpercent(data, len(data), out))

    def starts(self, data: bytes, pairs: bytes) -> Iterator[int]:
        """Places at the start of the bytes or of a line where two bytes stand that are one of `pairs`."""
        at = self._start(data, len(data), 0, pairs, len(pairs) // 2)
        while at < len(data):
            yield at
            line = data.find(b"\n", at)
            if line < 0:
                return
            at = self._start(data, len(data), line + 1, pairs, len(pairs) // 2)


def _function(function: Any, *arguments: Any) -> Callable[..., int]:
    function.argtypes, function.restype = arguments, _SIZE
    return function  # type: ignore[no-any-return]
