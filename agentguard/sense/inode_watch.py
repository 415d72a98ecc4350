"""inotify on the secret inodes themselves: an open is told whatever name it was made by.

watchdog, given a file, watches its folder; a hard link in another folder makes no event there. What this tells has no
pid: `cross_check` makes something of it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct
import threading
from collections.abc import Callable
from typing import NamedTuple

from agentguard.errors import SensorError
from agentguard.model.observation import GapObservation, GapType
from agentguard.model.secret import GUARD_KINDS, SecretFile
from agentguard.model.session import Coverage, SensorState
from agentguard.sense.interface import FolderSetup
from agentguard.sense.proof import Proof
from agentguard.sense.seccomp.libc import libc

NAME = "inotify"
MAX_WATCHES = 4096
"""Half of what the smallest systems grant to all programs of a user together (fs.inotify.max_user_watches = 8192)."""

# <sys/inotify.h>
IN_ACCESS, IN_CLOSE_WRITE, IN_CLOSE_NOWRITE, IN_OPEN = 0x1, 0x8, 0x10, 0x20
_IN_Q_OVERFLOW, _IN_IGNORED = 0x4000, 0x8000
_WATCHED = IN_ACCESS | IN_CLOSE_WRITE | IN_CLOSE_NOWRITE | IN_OPEN
_EVENT = struct.Struct("=iIII")
_BUFFER = 64 * 1024
_NO_MORE = frozenset({errno.ENOSPC, errno.ENOMEM})
LIMIT_REMEDY = "raise fs.inotify.max_user_watches"


class Touch(NamedTuple):
    """What somebody did to a watched file."""

    time_ns: int
    key: tuple[int, int]
    """Device and inode."""
    path: str
    """As the table knows it."""
    mask: int
    """Of inotify(7)."""


class InodeWatch:
    """Follows the table of secret files: one watch an inode, and one on the decoy."""

    def __init__(
        self, setup: FolderSetup, on_touch: Callable[[Touch], None], *, max_watches: int = MAX_WATCHES
    ) -> None:
        self._setup = setup
        self._on_touch = on_touch
        self._max_watches = max_watches
        self._lock = threading.Lock()
        self._watches: dict[int, tuple[tuple[int, int], str]] = {}
        self._numbers: dict[tuple[int, int], int] = {}
        self._descriptor = -1
        self._wake, self._wake_end = -1, -1
        self._events = self._drops = 0
        self._refused = False
        self.proved = Proof(setup.clock)
        self._thread = threading.Thread(target=self._run, name="inode-watch", daemon=True)

    @property
    def complete(self) -> bool:
        """Whether every secret file that can be watched is, and nothing was lost."""
        return not self._refused and not self._drops

    def start(self, decoy: str) -> None:
        """Raises SensorError when the system has no inotify, or grants no more of it."""
        if not hasattr(libc, "inotify_init1"):
            raise SensorError("this system has no inotify")
        self._descriptor = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self._descriptor < 0:
            raise SensorError("files cannot be watched; raise fs.inotify.max_user_instances")
        self._wake, self._wake_end = os.pipe()
        self._add(decoy, self._setup.decoy)
        self._setup.files.follow(self)
        self._thread.start()

    def stop(self) -> None:
        if self._wake_end >= 0:
            with self._lock:
                os.close(self._wake_end)
                self._wake_end = -1
            self._thread.join(1)

    def coverage(self) -> Coverage:
        return Coverage(
            sensor=NAME,
            state=SensorState.RUNNING if self._thread.is_alive() else SensorState.STOPPED,
            proved=self.proved.is_set(),
            proved_ns=self.proved.time_ns,
            events=self._events,
            drops=self._drops,
            reason="some secret files are not watched: the system's limit is reached" if self._refused else "",
        )

    # --- the table --------------------------------------------------------------------------------

    def added(self, file: SecretFile) -> None:
        """A file of the guard is not among those: the guard opens it all the time."""
        if file.kind not in GUARD_KINDS and not file.path.startswith("/proc/"):
            self._add(file.path, (file.device, file.inode))

    def discarded(self, device: int, inode: int) -> None:
        with self._lock:
            number = self._numbers.pop((device, inode), None)
            if number is not None and self._wake_end >= 0:
                libc.inotify_rm_watch(self._descriptor, number)

    def _add(self, path: str, key: tuple[int, int]) -> None:
        """By a descriptor that was compared with the table: the path may lead to another file by now."""
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            return
        try:
            info = os.fstat(descriptor)
            if (info.st_dev, info.st_ino) == key:
                self._watch(b"/proc/self/fd/%d" % descriptor, path, key)
        finally:
            os.close(descriptor)

    def _watch(self, link: bytes, path: str, key: tuple[int, int]) -> None:
        with self._lock:
            if self._wake_end < 0:
                return
            full = key not in self._numbers and len(self._numbers) >= self._max_watches
            number = -1 if full else libc.inotify_add_watch(self._descriptor, ctypes.c_char_p(link), _WATCHED)
            if number >= 0:
                self._watches[number] = (key, path)
                self._numbers[key] = number
                return
        if full or ctypes.get_errno() in _NO_MORE:
            self._refuse(path)

    def _refuse(self, path: str) -> None:
        """Told once. A file that may not be read cannot be watched either, and is no gap: the agent cannot read it."""
        if not self._refused:
            self._refused = True
            detail = f"the system watches no more files: from {path} on, opens by another name are not confirmed"
            self._gap(GapType.WATCH_LIMIT, detail, LIMIT_REMEDY)

    # --- the events -------------------------------------------------------------------------------

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        poll.register(self._wake, select.POLLIN | select.POLLHUP)
        while self._wake_end >= 0:
            for descriptor, _ in poll.poll():
                if descriptor == self._descriptor:
                    self._take(os.read(self._descriptor, _BUFFER))
        os.close(self._descriptor)
        os.close(self._wake)

    def _take(self, data: bytes) -> None:
        now = self._setup.clock()
        at = 0
        while at < len(data):
            number, mask, _, length = _EVENT.unpack_from(data, at)
            at += _EVENT.size + length
            if mask & _IN_Q_OVERFLOW:
                self._lost()
            elif mask & _IN_IGNORED:
                self._forget(number)
            else:
                self._tell(now, number, mask)

    def _tell(self, now: int, number: int, mask: int) -> None:
        known = self._watches.get(number)
        if known is None:
            return
        key, path = known
        if key == self._setup.decoy:
            self.proved.set()
            return
        self._events += bool(mask & IN_OPEN)
        self._on_touch(Touch(now, key, path, mask))

    def _forget(self, number: int) -> None:
        """Its inode is gone. The number may already stand for a new file in the table."""
        with self._lock:
            key, _ = self._watches.pop(number, ((0, 0), ""))
            if self._numbers.get(key) == number:
                del self._numbers[key]
        file = self._setup.files.lookup(*key)
        if file is not None:
            self.added(file)

    def _lost(self) -> None:
        self._drops += 1
        self._gap(GapType.EVENTS_LOST, "the system dropped events of secret files: an open may not have been confirmed")

    def _gap(self, kind: GapType, detail: str, remedy: str = "") -> None:
        self._setup.emit(
            GapObservation(time_ns=self._setup.clock(), sensor=NAME, type=kind, detail=detail, remedy=remedy)
        )
