"""Going a path part by part, in the caller's stead.

`/proc/self` names another folder to each reader, and a link may lead there under any name: who lets the kernel follow
such a path gets its own file. This is the dear way, for the few paths that the cheap one cannot tell (`paths.View`).
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct

from agentguard.sense.seccomp.abi import O_PATH, OPEN_HOW, RESOLVE_NO_MAGICLINKS
from agentguard.sense.seccomp.libc import libc, raise_errno

_MOST_LINKS = 40
"""MAXSYMLINKS of the kernel."""
_OWN = frozenset({b"self", b"thread-self"})
_PROC_SUPER_MAGIC = 0x9FA0
"""linux/magic.h"""
_PROC_ROOT_INODE = 1
_STATFS_BYTES = 256
"""More than struct statfs has anywhere; its first word is the type."""
_WORD = struct.Struct("=q")


def open_at(openat2: int, base: int, path: bytes, flags: int, resolve: int) -> int:
    """An O_PATH descriptor. `openat2` is the number of the system call.

    Raises:
        OSError: as openat2(2).
    """
    how = OPEN_HOW.pack(O_PATH | os.O_CLOEXEC | flags, 0, resolve)
    descriptor = int(libc.syscall(openat2, base, ctypes.c_char_p(path), how, len(how)))
    if descriptor < 0:
        raise_errno("openat2")
    return descriptor


def on_proc(descriptor: int) -> bool:
    """Whether it is of a proc file system: ours, or that of another container."""
    found = ctypes.create_string_buffer(_STATFS_BYTES)
    return not libc.fstatfs(descriptor, found) and bool(_WORD.unpack_from(found)[0] == _PROC_SUPER_MAGIC)


class Walk:
    """Of one thread, from its root or from one of its folders. What it is given stays the giver's to close."""

    def __init__(self, openat2: int, tid: int, root: int) -> None:
        self._openat2 = openat2
        self._tid = tid
        self._root = root

    def open(self, start: int, path: bytes) -> int:
        """An O_PATH descriptor of what the thread would open, links followed.

        Raises:
            OSError: as open(2).
        """
        here = os.dup(start)
        try:
            parts = _parts(path)
            links = 0
            while parts:
                step = self._step(here, parts.pop())
                if isinstance(step, int):
                    os.close(here)
                    here = step
                    continue
                links += 1
                _check(links)
                parts += _parts(step)
        except BaseException:
            os.close(here)
            raise
        return here

    def _step(self, here: int, part: bytes) -> int | bytes:
        """Where one part leads; or what a link says, which is to be gone from here."""
        if part == b"/":
            return os.dup(self._root)
        if part == b".." and _is_same(here, self._root):
            return os.dup(here)
        if part in _OWN and on_proc(here) and os.fstat(here).st_ino == _PROC_ROOT_INODE:
            return os.open(b"/proc/%d" % self._tid, O_PATH | os.O_CLOEXEC)
        there = os.open(part, O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
        if not stat.S_ISLNK(os.fstat(there).st_mode):
            return there
        os.close(there)
        if on_proc(here) and self._is_magic(here, part):
            return os.open(part, O_PATH | os.O_CLOEXEC, dir_fd=here)
        return os.readlink(part, dir_fd=here)

    def _is_magic(self, here: int, part: bytes) -> bool:
        """Whether a link of /proc is a file itself (cwd, root, exe, fd/N), and no text."""
        try:
            os.close(open_at(self._openat2, here, part, 0, RESOLVE_NO_MAGICLINKS))
        except OSError as error:
            return error.errno == errno.ELOOP
        return False


def _check(links: int) -> None:
    if links > _MOST_LINKS:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _parts(path: bytes) -> list[bytes]:
    """Last first. The root is a part, and what ends with a slash must be a folder."""
    parts = [part for part in path.split(b"/") if part]
    if path.startswith(b"/"):
        parts.insert(0, b"/")
    if path.endswith(b"/"):
        parts.append(b".")
    return parts[::-1]


def _is_same(one: int, other: int) -> bool:
    """The same folder in the same mount: a folder may be mounted within itself."""
    return os.path.sameopenfile(one, other) and _mount(one) == _mount(other)


def _mount(descriptor: int) -> bytes:
    with open(f"/proc/self/fdinfo/{descriptor}", "rb") as file:
        return next(line for line in file if line.startswith(b"mnt_id:"))
