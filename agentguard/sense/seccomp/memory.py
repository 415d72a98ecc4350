"""Reading the held caller's memory with process_vm_readv(2): a path, an argument list, an environment, an address.

The caller is blocked, but its other threads are not: what is read is evidence, not a guarantee. Under Yama's
ptrace_scope=1 only an ancestor may do this, which the supervisor is.
"""

from __future__ import annotations

import ctypes
import struct

from agentguard.sense.seccomp.libc import libc

PAGE = 4096
_SHORT = 256
"""Most paths end within this; copying a page for each costs more than a second read for the few that do not."""
MAX_PATH = 4096
MAX_STRINGS = 4096
MAX_BLOCK = 1 << 20
"""Bytes of an argument list or environment that are read at most."""


class _IoVector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


if hasattr(libc, "process_vm_readv"):  # Linux
    _readv = libc.process_vm_readv
    _readv.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]
    _readv.restype = ctypes.c_ssize_t


class CallerMemory:
    """Reads for one supervisor thread: its buffers are reused, so it is not for two threads."""

    def __init__(self) -> None:
        self._buffer = ctypes.create_string_buffer(MAX_BLOCK)
        self._address = ctypes.addressof(self._buffer)
        self._local, self._remote = _IoVector(self._address, 0), _IoVector(0, 0)
        self._local_ref, self._remote_ref = ctypes.byref(self._local), ctypes.byref(self._remote)

    def read(self, tid: int, address: int, size: int) -> bytes:
        """Up to `size` bytes; b"" when they cannot be read."""
        size = min(size, MAX_BLOCK)
        self._local.length = self._remote.length = size
        self._remote.base = address
        got = _readv(tid, self._local_ref, 1, self._remote_ref, 1, 0)
        return ctypes.string_at(self._address, got) if got > 0 else b""

    def string(self, tid: int, address: int, limit: int = MAX_PATH) -> bytes | None:
        """A NUL-terminated string; None when it cannot be read. A read never crosses a page: the next may be a hole."""
        parts = b""
        ask = _SHORT
        while len(parts) < limit:
            chunk = self.read(tid, address, min(ask, PAGE - (address & (PAGE - 1))))
            if not chunk:
                return None
            end = chunk.find(b"\0")
            if end >= 0:
                return parts + chunk[:end]
            parts += chunk
            address += len(chunk)
            ask = PAGE
        return parts

    def strings(self, tid: int, address: int, wide: bool = True) -> list[bytes] | None:
        """A NULL-terminated array of string pointers (argv, envp); `wide` is False for a 32-bit caller."""
        pointers = self._pointers(tid, address, 8 if wide else 4)
        if pointers is None:
            return None
        return self._gather(tid, pointers)

    def _pointers(self, tid: int, address: int, width: int) -> list[int] | None:
        found: list[int] = []
        code = "Q" if width == 8 else "I"
        if not address:
            return found
        while len(found) < MAX_STRINGS:
            chunk = self.read(tid, address, PAGE - (address & (PAGE - 1)))
            count = len(chunk) // width
            if not count:
                return None
            values = struct.unpack_from(f"={count}{code}", chunk)
            if 0 in values:
                return [*found, *values[: values.index(0)]]
            found.extend(values)
            address += count * width
        return found

    def _gather(self, tid: int, pointers: list[int]) -> list[bytes]:
        """One read where the strings lie together, as they nearly always do; else one by one."""
        if not pointers:
            return []
        low, high = min(pointers), max(pointers)
        if high - low < MAX_BLOCK - PAGE:
            last = self.string(tid, high, MAX_BLOCK) or b""
            block = self.read(tid, low, high - low) + last + b"\0"
            if len(block) == high - low + len(last) + 1:
                return [block[start : block.index(b"\0", start)] for start in (p - low for p in pointers)]
        return [self.string(tid, pointer, MAX_BLOCK) or b"" for pointer in pointers]
