"""The decoder's two loops in C (native/views.c), where they were compiled."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from functools import cache

from agentguard.native.find import find_library

_AT_ONCE = 512
"""Spans of one call."""
_KEPT = 2 << 20
"""Bytes of the buffer that each thread keeps: fresh memory costs more than what is done in it."""
_Spans = ctypes.c_size_t * (2 * _AT_ONCE)


class Loops:
    """A loaded library. Any number of threads; the calls release Python's lock."""

    def __init__(self, path: str) -> None:
        library = ctypes.CDLL(path)
        self._unescape = library.agentguard_unescape
        self._unescape.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p)
        self._unescape.restype = ctypes.c_size_t
        self._local = threading.local()
        self._runs = library.agentguard_runs
        self._runs.argtypes = (ctypes.c_char_p, *[ctypes.c_size_t] * 5, ctypes.c_void_p)
        self._runs.restype = ctypes.c_size_t
        self._start = library.agentguard_start
        self._start.argtypes = (ctypes.c_char_p, *[ctypes.c_size_t] * 2, ctypes.c_char_p, ctypes.c_size_t)
        self._start.restype = ctypes.c_size_t

    def unescape(self, data: bytes) -> bytes:
        """As `decode.unescape`."""
        out = getattr(self._local, "out", None)
        if out is None or len(out) < len(data):
            out = ctypes.create_string_buffer(len(data))
            if len(data) <= _KEPT:
                self._local.out = out
        return ctypes.string_at(out, self._unescape(data, len(data), out))

    def spans(self, data: bytes, shortest: int, line: int) -> Iterator[tuple[int, int]]:
        """As `decode_runs.spans`; of runs shorter than `line` those are left out that decode to nothing."""
        start, found = 0, _AT_ONCE
        while found == _AT_ONCE:
            spans = _Spans()
            found = self._runs(data, len(data), start, shortest, line, _AT_ONCE, spans)
            flat = spans[: 2 * found]
            yield from zip(flat[::2], flat[1::2], strict=True)
            start = flat[-1] if flat else 0

    def starts(self, data: bytes, pairs: bytes) -> Iterator[int]:
        """Places at the start of the bytes or of a line where two bytes stand that are one of `pairs`."""
        at = self._start(data, len(data), 0, pairs, len(pairs) // 2)
        while at < len(data):
            yield at
            line = data.find(b"\n", at)
            if line < 0:
                return
            at = self._start(data, len(data), line + 1, pairs, len(pairs) // 2)


@cache
def loops() -> Loops | None:
    """The library of the sources as they are; None where it was not compiled or does not load."""
    path = find_library("views")
    try:
        return Loops(str(path)) if path else None
    except (OSError, AttributeError):
        return None
