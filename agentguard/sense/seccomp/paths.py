"""What a path means to the caller, said as a path that means the same to us.

A path of the caller is relative to its own root, working directory, descriptors and mount namespace; and
`/proc/self` is a different folder for each reader.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct

from agentguard.birth import birth_time_ns
from agentguard.sense.seccomp.abi import AT_FDCWD, O_PATH, Machine
from agentguard.sense.seccomp.libc import libc

_RESOLVE_IN_ROOT = 0x10
_OPEN_HOW = struct.Struct("=QQQ")
_SELF = (b"/proc/self", b"/proc/thread-self", b"/dev/fd", b"/dev/stdin", b"/dev/stdout", b"/dev/stderr")
_STANDARD = {b"/dev/stdin": 0, b"/dev/stdout": 1, b"/dev/stderr": 2}


class View:
    """Translates callers' paths. For one thread."""

    def __init__(self, machine: Machine) -> None:
        self._openat2 = machine.openat2
        self._namespace = os.readlink("/proc/self/ns/mnt")
        self._same: dict[int, bool] = {}
        self.by_link = False
        """Whether what was asked for last is the name of a link: the file may have a telling name of its own."""

    def forget(self, tid: int) -> None:
        """Its root or namespace may change with the call it is making."""
        self._same.pop(tid, None)

    def stat(self, tid: int, directory: int, path: bytes) -> os.stat_result | None:
        """Of the file the caller would open, links followed; None when there is none or it cannot be reached."""
        try:
            self.by_link = False
            if self._shares_view(tid):
                return self._stat_here(self.translate(tid, directory, path))
            return self._stat_inside(tid, directory, path)
        except (OSError, ValueError):
            return None

    def translate(self, tid: int, directory: int, path: bytes) -> bytes:
        """In our own view, for a caller that shares our root and mounts."""
        if path.startswith(_SELF):
            return _own_process(tid, path)
        if path.startswith(b"/"):
            return path
        return b"%s/%s" % (_directory(tid, directory), path)

    def birth_time_ns(self, tid: int, directory: int, path: bytes) -> int:
        """0 when it cannot be told; inside another root it is not asked."""
        return birth_time_ns(self.translate(tid, directory, path)) if self._shares_view(tid) else 0

    def real_path(self, tid: int, directory: int, path: bytes) -> str:
        """Absolute, links resolved, for people to read; the caller's own words where that fails."""
        try:
            if self._shares_view(tid):
                return os.fsdecode(os.path.realpath(self.translate(tid, directory, path), strict=True))
            return os.fsdecode(os.readlink(f"/proc/self/fd/{self._opened(tid, directory, path)}"))
        except (OSError, ValueError):
            return os.fsdecode(path)

    def _shares_view(self, tid: int) -> bool:
        same = self._same.get(tid)
        if same is None:
            if len(self._same) > 8192:
                self._same.clear()
            same = self._same[tid] = self._compare(tid)
        return same

    def _compare(self, tid: int) -> bool:
        try:
            return os.readlink(f"/proc/{tid}/ns/mnt") == self._namespace and os.readlink(f"/proc/{tid}/root") == "/"
        except OSError:
            return True

    def _stat_here(self, path: bytes) -> os.stat_result:
        info = os.lstat(path)  # nearly always a file: no dearer than following
        self.by_link = stat.S_ISLNK(info.st_mode)
        return os.stat(path) if self.by_link else info

    def link_target(self, tid: int, directory: int, path: bytes) -> str:
        """The kernel's own name for a file that was opened by way of a link; "" when it cannot be reached."""
        try:
            descriptor = os.open(self.translate(tid, directory, path), O_PATH | os.O_CLOEXEC)
        except (OSError, ValueError):
            return ""
        try:
            return os.readlink(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)

    def _stat_inside(self, tid: int, directory: int, path: bytes) -> os.stat_result:
        descriptor = self._opened(tid, directory, path)
        try:
            return os.fstat(descriptor)
        finally:
            os.close(descriptor)

    def _opened(self, tid: int, directory: int, path: bytes) -> int:
        """An O_PATH descriptor of the file as the caller sees it: absolute links stay inside its root."""
        if path.startswith(_SELF):
            return os.open(_own_process(tid, path), O_PATH | os.O_CLOEXEC)
        if not path.startswith(b"/"):
            path = os.path.join(os.readlink(_directory(tid, directory)), path)
        root = os.open(f"/proc/{tid}/root", O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return self._open_in_root(root, path)
        finally:
            os.close(root)

    def _open_in_root(self, root: int, path: bytes) -> int:
        how = _OPEN_HOW.pack(O_PATH | os.O_CLOEXEC, 0, _RESOLVE_IN_ROOT)
        descriptor = int(libc.syscall(self._openat2, root, ctypes.c_char_p(path), how, len(how)))
        if descriptor < 0:
            raise OSError(ctypes.get_errno(), "openat2")
        return descriptor


def _directory(tid: int, directory: int) -> bytes:
    return b"/proc/%d/cwd" % tid if directory == AT_FDCWD else b"/proc/%d/fd/%d" % (tid, directory)


def _own_process(tid: int, path: bytes) -> bytes:
    standard = _STANDARD.get(path)
    if standard is not None:
        return b"/proc/%d/fd/%d" % (tid, standard)
    for prefix, target in ((b"/proc/self", b""), (b"/proc/thread-self", b""), (b"/dev/fd", b"/fd")):
        if path == prefix or path.startswith(prefix + b"/"):
            return b"/proc/%d%s%s" % (tid, target, path[len(prefix) :])
    return path
