"""What a path means to the caller, said as a path that means the same to us. (native/loop.c does the same in C.)

A path of the caller is relative to its own root, working directory, descriptors and mount namespace; and
`/proc/self` is a different folder for each reader.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager

from agentguard.birth import birth_time_ns
from agentguard.sense.seccomp.abi import AT_FDCWD, O_PATH, OPEN_HOW, RESOLVE_IN_ROOT, Machine
from agentguard.sense.seccomp.libc import libc

_OWN = re.compile(
    rb"/(?:\.?/)*(?:proc/(?:\.?/)*(?:thread-)?self|dev/(?:\.?/)*(?:(?P<fd>fd)|std(?P<standard>in|out|err)))(?=/|\Z)"
)
"""Paths that mean another file to each process."""
_STANDARD = {b"in": 0, b"out": 1, b"err": 2}
_BELIEVED_NS = 1_000_000_000
"""How long a thread's view is believed: a thread id is not used again in that time."""


class View:
    """Translates callers' paths. For one thread."""

    def __init__(self, machine: Machine) -> None:
        self._openat2 = machine.openat2
        self._namespace = os.readlink("/proc/self/ns/mnt")
        self._same: dict[int, tuple[bool, int]] = {}
        self._unsettled_until = 0
        self.by_link = False
        """Whether the name asked for last may be a link's: the file may have a telling name of its own."""

    def forget(self) -> None:
        """Somebody changes a view: threads share a root, and the call that changes it has not been made yet."""
        self._same.clear()
        self._unsettled_until = time.monotonic_ns() + _BELIEVED_NS

    def stat(self, tid: int, directory: int, path: bytes) -> os.stat_result | None:
        """Of the file the caller would open, links followed; None when there is none or it cannot be reached."""
        try:
            self.by_link = False
            if self._shares_view(tid):
                return self._stat_here(tid, directory, path)
            return self._stat_opened(tid, directory, path)
        except (OSError, ValueError):
            return None

    def translate(self, tid: int, directory: int, path: bytes) -> bytes:
        """In our own view, for a caller that shares our root and mounts."""
        if path.startswith(b"/"):
            return _own_process(tid, path) or path
        return b"%s/%s" % (_directory(tid, directory), path)

    def birth_time_ns(self, tid: int, directory: int, path: bytes) -> int:
        """0 when it cannot be told; inside another root it is not asked."""
        return birth_time_ns(self.translate(tid, directory, path)) if self._shares_view(tid) else 0

    def real_path(self, tid: int, directory: int, path: bytes) -> str:
        """The kernel's own name of the file, absolute; the caller's own words where it has none."""
        try:
            descriptor = self._opened(tid, directory, path)
        except (OSError, ValueError):
            return os.fsdecode(path)
        try:
            name = os.readlink(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
        return name if name.startswith("/") else os.fsdecode(path)

    def confined(self, tid: int, directory: int, path: bytes) -> bytes:
        """A path that is resolved below `directory` as if that were the root, as an ordinary one.

        Raises:
            OSError: there is no such file.
        """
        root = os.open(_directory(tid, directory), O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            descriptor = self._open_in_root(root, path)
        finally:
            os.close(root)
        try:
            return os.readlink(b"/proc/self/fd/%d" % descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def held(self, tid: int, directory: int, path: bytes, known_as: str) -> Iterator[str]:
        """A path of ours to what the caller opens, for as long as this lasts; "" when `known_as` leads there anyway, or
        when there is none."""
        try:
            descriptor = self._opened(tid, directory, path)
        except (OSError, ValueError):
            yield ""
            return
        try:
            yield "" if _leads_to(known_as, os.fstat(descriptor)) else f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)

    def _shares_view(self, tid: int) -> bool:
        now = time.monotonic_ns()
        same, until = self._same.get(tid, (True, 0))
        if now < until:
            return same
        try:
            same = os.readlink(f"/proc/{tid}/ns/mnt") == self._namespace and os.readlink(f"/proc/{tid}/root") == "/"
        except OSError:
            return True  # it hides, and so does its memory; or it has gone
        if now >= self._unsettled_until:
            if len(self._same) > 8192:
                self._same.clear()
            self._same[tid] = same, now + _BELIEVED_NS
        return same

    def _stat_here(self, tid: int, directory: int, path: bytes) -> os.stat_result:
        here = self.translate(tid, directory, path)
        try:
            info = os.lstat(here)  # nearly always a file: no dearer than following
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            return self._stat_opened(tid, directory, path)
        self.by_link = stat.S_ISLNK(info.st_mode)
        return os.stat(here) if self.by_link else info

    def _stat_opened(self, tid: int, directory: int, path: bytes) -> os.stat_result:
        self.by_link = True
        descriptor = self._opened(tid, directory, path)
        try:
            return os.fstat(descriptor)
        finally:
            os.close(descriptor)

    def _opened(self, tid: int, directory: int, path: bytes) -> int:
        """An O_PATH descriptor of the file as the caller sees it."""
        own = _own_process(tid, path)
        if own:
            return os.open(own, O_PATH | os.O_CLOEXEC)
        if not self._shares_view(tid):
            return self._open_inside(tid, directory, path)
        if path.startswith(b"/"):
            return os.open(path, O_PATH | os.O_CLOEXEC)
        folder = os.open(_directory(tid, directory), O_PATH | os.O_CLOEXEC)  # with its name in front it may be too long
        try:
            return os.open(path, O_PATH | os.O_CLOEXEC, dir_fd=folder)
        finally:
            os.close(folder)

    def _open_inside(self, tid: int, directory: int, path: bytes) -> int:
        """For a caller with another root or other mounts: absolute links stay inside its root."""
        if not path.startswith(b"/"):
            # The folder's name is one of our own view: what lies above the caller's root is taken off.
            above = os.readlink(b"/proc/%d/root" % tid).rstrip(b"/")
            folder = os.readlink(_directory(tid, directory))
            path = (folder[len(above) :] if (folder + b"/").startswith(above + b"/") else folder) + b"/" + path
        root = os.open(f"/proc/{tid}/root", O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return self._open_in_root(root, path)
        finally:
            os.close(root)

    def _open_in_root(self, root: int, path: bytes) -> int:
        how = OPEN_HOW.pack(O_PATH | os.O_CLOEXEC, 0, RESOLVE_IN_ROOT)
        descriptor = int(libc.syscall(self._openat2, root, ctypes.c_char_p(path), how, len(how)))
        if descriptor < 0:
            raise OSError(ctypes.get_errno(), "openat2")
        return descriptor


def _leads_to(path: str, info: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), info)
    except (OSError, ValueError):
        return False


def _directory(tid: int, directory: int) -> bytes:
    return b"/proc/%d/cwd" % tid if directory == AT_FDCWD else b"/proc/%d/fd/%d" % (tid, directory)


def _own_process(tid: int, path: bytes) -> bytes:
    """b"" for a path that means the same to every process."""
    found = _OWN.match(path)
    if found is None:
        return b""
    rest = path[found.end() :]
    if found["standard"]:
        return b"/proc/%d/fd/%d%s" % (tid, _STANDARD[found["standard"]], rest)
    return b"/proc/%d%s%s" % (tid, b"/fd" if found["fd"] else b"", rest)
