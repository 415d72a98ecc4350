"""What a path means to the caller, said as a path that means the same to us. (native/loop.c does the same in C.)

A path of the caller is relative to its own root, working directory, descriptors and mount namespace; and
`/proc/self` is a different folder for each reader, whether it is named or a link leads there. The kernel tells cheaply
that no link to a file of /proc (cwd, root, exe, fd/N) was crossed: only what it cannot tell is gone part by part.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager

from agentguard.birth import birth_time_ns
from agentguard.sense.seccomp.abi import (
    AT_FDCWD,
    O_PATH,
    RESOLVE_IN_ROOT,
    RESOLVE_NO_MAGICLINKS,
    RESOLVE_NO_SYMLINKS,
    Machine,
)
from agentguard.sense.seccomp.walk import Walk, on_proc, open_at

_BELIEVED_NS = 1_000_000_000
"""How long a thread's view is believed: a thread id is not used again in that time."""
_PLAIN_NS = 100_000_000
"""How long a folder is believed to be the same to every process: it may give way to a link."""
_SELF = b"/proc/self/"
_UNCLEAR = frozenset({errno.ELOOP, errno.EXDEV})
"""openat2's answers to a link of /proc: the latter, where the path must stay inside a root."""


class View:
    """Translates callers' paths. For one thread."""

    def __init__(self, machine: Machine) -> None:
        self._openat2 = machine.openat2
        self._namespace = os.readlink("/proc/self/ns/mnt")
        self._same: dict[int, tuple[bool, int]] = {}
        self._unsettled_until = 0
        self._plain: dict[object, int] = {}
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
                path = _plainly(tid, path)
                if self._is_plain(tid, directory, path):
                    return self._stat_here(tid, directory, path)
            return self._stat_opened(tid, directory, path)
        except (OSError, ValueError):
            return None

    def birth_time_ns(self, tid: int, directory: int, path: bytes) -> int:
        """0 when it cannot be told; inside another root it is not asked."""
        if not self._shares_view(tid):
            return 0
        try:
            descriptor = self._opened(tid, directory, path)
        except (OSError, ValueError):
            return 0
        try:
            return birth_time_ns(b"/proc/self/fd/%d" % descriptor)
        finally:
            os.close(descriptor)

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
            descriptor = open_at(self._openat2, root, path, 0, RESOLVE_IN_ROOT)
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

    def _is_plain(self, tid: int, directory: int, path: bytes) -> bool:
        """Whether the folder of this path is the same to every process.

        Raises:
            OSError: there is no such file.
        """
        folder = path.rpartition(b"/")[0]
        if not folder:
            return True
        key = folder if path.startswith(b"/") else (tid, directory, folder)
        now = time.monotonic_ns()
        if now < self._plain.get(key, 0):
            return True
        try:
            descriptor = self._open_plain(tid, directory, path, os.O_NOFOLLOW)
        except FileNotFoundError:
            self._believe(key, now)
            raise
        if descriptor is None:
            return False
        os.close(descriptor)
        self._believe(key, now)
        return True

    def _believe(self, key: object, now: int) -> None:
        if len(self._plain) > 4096:
            self._plain.clear()
        self._plain[key] = now + _PLAIN_NS

    def _stat_here(self, tid: int, directory: int, path: bytes) -> os.stat_result:
        here = path if path.startswith(b"/") else b"%s/%s" % (_directory(tid, directory), path)
        try:
            info = os.lstat(here)  # nearly always a file: no dearer than following
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            return self._stat_opened(tid, directory, path)
        return self._stat_opened(tid, directory, path) if stat.S_ISLNK(info.st_mode) else info

    def _stat_opened(self, tid: int, directory: int, path: bytes) -> os.stat_result:
        self.by_link = True
        descriptor = self._opened(tid, directory, path)
        try:
            return os.fstat(descriptor)
        finally:
            os.close(descriptor)

    def _opened(self, tid: int, directory: int, path: bytes) -> int:
        """An O_PATH descriptor of the file as the caller sees it."""
        descriptor = self._open_plain(tid, directory, path)
        if descriptor is not None:
            return descriptor
        with _folder(b"/" if self._shares_view(tid) else b"/proc/%d/root" % tid) as root:
            walk = Walk(self._openat2, tid, root)
            if path.startswith(b"/"):
                return walk.open(root, path)
            with _folder(_directory(tid, directory)) as start:
                return walk.open(start, path)

    def _open_plain(self, tid: int, directory: int, path: bytes, flags: int = 0) -> int | None:
        """An O_PATH descriptor of a file that is the same to every process; None when it may be another to the caller,
        or the links have no end.

        Raises:
            OSError: there is no such file.
        """
        if not self._shares_view(tid):  # absolute links stay inside its root
            path = path if path.startswith(b"/") else _from_root(tid, directory) + b"/" + path
            with _folder(b"/proc/%d/root" % tid) as root:
                return self._attempt(root, path, flags, RESOLVE_IN_ROOT)
        if path.startswith(b"/"):
            return self._attempt(AT_FDCWD, path, flags, RESOLVE_NO_MAGICLINKS)
        with _folder(_directory(tid, directory)) as start:
            return self._attempt(start, path, flags, RESOLVE_NO_MAGICLINKS)

    def _attempt(self, base: int, path: bytes, flags: int, resolve: int) -> int | None:
        try:
            descriptor = open_at(self._openat2, base, path, flags, resolve)
        except FileNotFoundError:
            if self._is_missing(base, path, resolve):
                raise
            return None
        except OSError as error:
            if error.errno not in _UNCLEAR:
                raise
            return None
        if on_proc(descriptor) and self._errno(base, path, flags, resolve | RESOLVE_NO_SYMLINKS):
            os.close(descriptor)
            return None
        return descriptor

    def _is_missing(self, base: int, path: bytes, resolve: int) -> bool:
        """Whether what we do not find is not there for the caller either: /proc/self/fd/9 may be, and not for us. So
        where no link was crossed, or where the last folder is there and outside /proc, and has no link of that name."""
        if self._errno(base, path, 0, resolve | RESOLVE_NO_SYMLINKS) == errno.ENOENT:
            return True
        if not self._errno(base, path, os.O_NOFOLLOW, resolve):
            return False
        folder = path.rpartition(b"/")[0]
        if not folder:
            return True
        try:
            descriptor = open_at(self._openat2, base, folder, 0, resolve)
        except OSError:
            return False
        try:
            return not on_proc(descriptor)
        finally:
            os.close(descriptor)

    def _errno(self, base: int, path: bytes, flags: int, resolve: int) -> int:
        """0 when it can be opened."""
        try:
            os.close(open_at(self._openat2, base, path, flags, resolve))
        except OSError as error:
            return error.errno or errno.EIO
        return 0


def _leads_to(path: str, info: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), info)
    except (OSError, ValueError):
        return False


def _directory(tid: int, directory: int) -> bytes:
    return b"/proc/%d/cwd" % tid if directory == AT_FDCWD else b"/proc/%d/fd/%d" % (tid, directory)


def _plainly(tid: int, path: bytes) -> bytes:
    """Without the commonest link that is the reader's own."""
    return b"/proc/%d/%s" % (tid, path[len(_SELF) :]) if path.startswith(_SELF) else path


def _from_root(tid: int, directory: int) -> bytes:
    """A folder of the caller by its name below the caller's root. We see its name in our own view: what lies above the
    root is taken off."""
    above = os.readlink(b"/proc/%d/root" % tid).rstrip(b"/")
    folder = os.readlink(_directory(tid, directory))
    return folder[len(above) :] if (folder + b"/").startswith(above + b"/") else folder


@contextmanager
def _folder(path: bytes) -> Iterator[int]:
    descriptor = os.open(path, O_PATH | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
