"""When a file was made: the part of its identity that an inode number used again does not share.

`os.statx` came with Python 3.15, so the system call is made through ctypes, on Linux for the two machines whose
numbers are known; elsewhere `st_birthtime` where the platform has it, and 0 otherwise.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from functools import cache

_SYSCALL = {"x86_64": 332, "aarch64": 291}
_AT_FDCWD = -100
_AT_STATX_DONT_SYNC = 0x4000
_STATX_BTIME = 0x800
_STRUCT_BYTES = 256
_MASK = struct.Struct("=I")
_BTIME = struct.Struct("=qI")
_BTIME_AT = 0x50


def birth_time_ns(path: str | bytes) -> int:
    """Nanoseconds since the epoch; 0 when the platform or the file system does not tell, or the file is gone."""
    number = _syscall_number()
    return _statx(number, os.fsencode(path)) if number else _from_stat(path)


@cache
def _syscall_number() -> int:
    if not sys.platform.startswith("linux") or struct.calcsize("P") != 8:
        return 0
    return _SYSCALL.get(platform.machine(), 0)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _statx(number: int, path: bytes) -> int:
    if b"\0" in path:
        return 0
    buffer = ctypes.create_string_buffer(_STRUCT_BYTES)
    result = _libc().syscall(
        ctypes.c_long(number),
        ctypes.c_int(_AT_FDCWD),
        ctypes.c_char_p(path),
        ctypes.c_int(_AT_STATX_DONT_SYNC),
        ctypes.c_uint(_STATX_BTIME),
        buffer,
    )
    if result != 0 or not _MASK.unpack_from(buffer.raw)[0] & _STATX_BTIME:
        return 0
    seconds, nanoseconds = _BTIME.unpack_from(buffer.raw, _BTIME_AT)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


def _from_stat(path: str | bytes) -> int:
    try:
        return int(getattr(os.stat(path), "st_birthtime", 0) * 1_000_000_000)
    except (OSError, ValueError):
        return 0
