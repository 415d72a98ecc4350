"""fanotify(7) through ctypes. Numbers are those of linux/fanotify.h."""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from functools import cache
from typing import NamedTuple

from agentguard.errors import SensorError

_CLOEXEC = 0x1
_NONBLOCK = 0x2
_CLASS_CONTENT = 0x4
_UNLIMITED_QUEUE = 0x10
_UNLIMITED_MARKS = 0x20
_REPORT_PIDFD = 0x80
"""Since Linux 5.15."""
_MARK_ADD = 0x1
_OPEN_PERM = 0x10000
_EVENT_ON_CHILD = 0x08000000
_QUEUE_OVERFLOW = 0x4000
_ALLOW = 1
_AT_FDCWD = -100
_EVENT = struct.Struct("=IBBHQii")
_INFO = struct.Struct("=BBH")
_INFO_PIDFD = 4
_PIDFD = struct.Struct("=i")
_RESPONSE = struct.Struct("=iI")
_READ_BYTES = 1 << 16
_EVENT_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | getattr(os, "O_LARGEFILE", 0)
"""Of the descriptors that come with events. O_NONBLOCK: opening a FIFO must not wait for its writer."""


class Opening(NamedTuple):
    """One open(2) that waits for our answer."""

    descriptor: int
    """The file; ours to close. Negative when events were lost instead."""
    pid: int
    """Of the process; 0 when it is not in our pid namespace."""
    pidfd: int
    """Ours to close; negative when the kernel has none or the process has gone."""


class Group:
    """One notification group that answers opens."""

    def __init__(self) -> None:
        """Raises SensorError, with the reason, where it is not allowed."""
        flags = _CLOEXEC | _NONBLOCK | _CLASS_CONTENT | _UNLIMITED_QUEUE | _UNLIMITED_MARKS
        self.descriptor = _init(flags | _REPORT_PIDFD)
        if self.descriptor < 0:
            self.descriptor = _init(flags)
        if self.descriptor < 0:
            raise SensorError(f"fanotify needs root or CAP_SYS_ADMIN ({os.strerror(ctypes.get_errno())})")

    def watch_file(self, path: str) -> bool:
        """Hold every open of this inode, by whatever name. False when the kernel refuses."""
        return self._mark(_OPEN_PERM, path)

    def watch_folder(self, path: str) -> bool:
        """Hold every open of what lies directly in this folder, also of files that come later."""
        return self._mark(_OPEN_PERM | _EVENT_ON_CHILD, path)

    def read(self) -> list[Opening]:
        """What waits for an answer; [] when nothing does.

        Raises:
            OSError: EMFILE, say: the kernel has refused that open then, as it could not hand us the file.
        """
        try:
            data = os.read(self.descriptor, _READ_BYTES)
        except BlockingIOError:
            return []
        opened = []
        at = 0
        while at + _EVENT.size <= len(data):
            length, _, _, header, mask, descriptor, pid = _EVENT.unpack_from(data, at)
            pidfd = _pidfd(data, at + header, at + length)
            opened.append(Opening(-1 if mask & _QUEUE_OVERFLOW else descriptor, pid, pidfd))
            at += length
        return opened

    def allow(self, opening: Opening) -> None:
        """Let it go on, and close what came with it."""
        with contextlib.suppress(OSError):  # The group is closed: everything was let go with it.
            os.write(self.descriptor, _RESPONSE.pack(opening.descriptor, _ALLOW))
        for descriptor in (opening.descriptor, opening.pidfd):
            if descriptor >= 0:
                os.close(descriptor)

    def close(self) -> None:
        """Everything that waits is let go by the kernel."""
        os.close(self.descriptor)

    def _mark(self, mask: int, path: str) -> bool:
        result = _libc().fanotify_mark(
            ctypes.c_int(self.descriptor),
            ctypes.c_uint(_MARK_ADD),
            ctypes.c_uint64(mask),
            ctypes.c_int(_AT_FDCWD),
            ctypes.c_char_p(os.fsencode(path)),
        )
        return int(result) == 0


def _pidfd(data: bytes, at: int, end: int) -> int:
    while at + _INFO.size <= end:
        kind, _, length = _INFO.unpack_from(data, at)
        if kind == _INFO_PIDFD:
            return int(_PIDFD.unpack_from(data, at + _INFO.size)[0])
        at += max(length, _INFO.size)
    return -1


def _init(flags: int) -> int:
    try:
        return int(_libc().fanotify_init(ctypes.c_uint(flags), ctypes.c_uint(_EVENT_FLAGS)))
    except AttributeError:
        raise SensorError("this system has no fanotify") from None


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
