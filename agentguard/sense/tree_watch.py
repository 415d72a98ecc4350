"""inotify on the folders of a workspace: what has changed in them, never what was merely opened.

A watch for opens over a whole tree overflows at the first `grep -r`; changes are few. watchdog takes a thread a folder,
or the whole tree with its dependency folders, so this is inotify(7) itself: one descriptor, one watch a folder.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from agentguard.sense.seccomp.libc import libc

# <sys/inotify.h>
_MODIFY, _ATTRIB, _CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x2, 0x4, 0x8, 0x40, 0x80, 0x100, 0x200
_Q_OVERFLOW, _IGNORED, _ISDIR = 0x4000, 0x8000, 0x40000000
_ONLYDIR, _DONT_FOLLOW = 0x01000000, 0x02000000
_WATCHED = _MODIFY | _ATTRIB | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _ONLYDIR | _DONT_FOLLOW
_EVENT = struct.Struct("=iIII")
_BUFFER = 256 * 1024


class Change(Enum):
    WRITTEN = auto()
    """A file is complete: closed by its writer, moved or linked into place."""
    TOUCHED = auto()
    """A file is being written, or its mode was changed: more may follow."""
    DELETED = auto()
    FOLDER = auto()
    """A folder has appeared, perhaps with files in it."""


@dataclass(frozen=True, slots=True)
class Changed:
    path: str
    change: Change


class TreeWatch:
    """For one thread.

    Args:
        most: folders that are watched; beyond it, and where the system grants no more, they are counted in `refused`.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._folders: dict[int, str] = {}
        self.refused = 0
        """Folders that are not watched."""
        self.lost = 0
        """Times the system dropped events."""
        self.descriptor = -1
        """To wait on; -1 where this system has no inotify, or grants no more of it."""
        if hasattr(libc, "inotify_init1"):
            self.descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)

    def __len__(self) -> int:
        return len(self._folders)

    def add(self, folder: str) -> None:
        """Watch one more folder. One that is watched already is known by this name from now on."""
        number = -1
        if self.descriptor >= 0 and len(self._folders) < self._most:
            number = libc.inotify_add_watch(self.descriptor, ctypes.c_char_p(os.fsencode(folder)), _WATCHED)
            if number < 0 and ctypes.get_errno() in {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP}:
                return  # gone again, or closed to us as to the agent
        if number < 0:
            self.refused += 1
        else:
            self._folders[number] = folder

    def changes(self) -> Iterator[Changed]:
        """All that wait. After an overflow `lost` has grown, and what was changed meanwhile is not known."""
        while self.descriptor >= 0:
            try:
                data = os.read(self.descriptor, _BUFFER)
            except BlockingIOError:
                return
            at = 0
            while at < len(data):
                number, mask, _, length = _EVENT.unpack_from(data, at)
                name = data[at + _EVENT.size : at + _EVENT.size + length].rstrip(b"\0")
                at += _EVENT.size + length
                yield from self._change(number, mask, os.fsdecode(name))

    def _change(self, number: int, mask: int, name: str) -> Iterator[Changed]:
        if mask & _Q_OVERFLOW:
            self.lost += 1
        if mask & _IGNORED:
            self._folders.pop(number, None)
        folder = self._folders.get(number)
        if folder is None or not name:
            return
        path = os.path.join(folder, name)
        if mask & _ISDIR:
            if mask & _MOVED_FROM:
                self._forget_below(path)
            elif mask & (_CREATE | _MOVED_TO):
                yield Changed(path, Change.FOLDER)
        elif mask & _DELETE:
            yield Changed(path, Change.DELETED)
        elif mask & (_CLOSE_WRITE | _MOVED_TO | _CREATE):
            yield Changed(path, Change.WRITTEN)
        elif mask & (_MODIFY | _ATTRIB):
            yield Changed(path, Change.TOUCHED)

    def _forget_below(self, folder: str) -> None:
        """It goes by another name now, or is no part of the tree any more: where it has gone to, it is added again."""
        below = folder + "/"
        for number, path in list(self._folders.items()):
            if path == folder or path.startswith(below):
                libc.inotify_rm_watch(self.descriptor, number)
                del self._folders[number]
