"""The second opinion: every read that the folders and the inodes show must be one that a supervised process made, or
that another guard of this home accounts for.

One that nobody made was made outside the session's tree, or in a way the first sensor cannot follow (io_uring,
a descriptor handed over). It is a gap, told by presence in a window of time: inotify merges equal events.
"""

from __future__ import annotations

import os
import queue
import threading

from agentguard.model.observation import GapObservation, GapType
from agentguard.model.secret import GUARD_KINDS
from agentguard.model.session import Coverage, SensorState
from agentguard.sense.folder_watch import FolderWatch
from agentguard.sense.inode_watch import IN_CLOSE_WRITE, IN_OPEN, LIMIT_REMEDY, Touch
from agentguard.sense.interface import FolderSetup
from agentguard.sense.proof import Proof

NAME = "watchdog"
WINDOW_NS = 1_000_000_000
"""An open is matched with a supervised one of the same file at most this long before it."""
_PATIENCE_SECONDS = 0.25
"""How long the first sensor and other guards may take to tell of the same open, and the two watches of each other's."""
_QUIET_NS = 10_000_000_000
"""One gap a file in this time: a backup or an editor may open it many times."""

_Key = tuple[int, int]


class CrossCheck:
    """Confirms supervised opens, and shows the others."""

    def __init__(self, setup: FolderSetup) -> None:
        self._setup = setup
        self._waiting: queue.SimpleQueue[Touch | tuple[int, str] | None] = queue.SimpleQueue()
        self._told: dict[_Key, int] = {}
        self._by_inode: dict[_Key, int] = {}
        self._unread: dict[_Key, Touch] = {}
        self._confirmed = self._drops = 0
        self._refused = self._stopped = False
        self.proved = Proof(setup.clock)
        self.watch = FolderWatch(
            on_open=self._opened, on_change=setup.on_change, on_overflow=self._overflow, on_refused=self._refuse
        )
        self._thread = threading.Thread(target=self._run, name="cross-check", daemon=True)

    @property
    def complete(self) -> bool:
        """Whether every folder is watched, and no event was lost."""
        return not self._refused and not self._drops

    def start(self, folders: tuple[str, ...]) -> None:
        """Raises SensorError when no folder can be watched."""
        self.watch.start(folders)
        self._thread.start()

    def stop(self) -> None:
        if not self._stopped:
            self._stopped = True
            self.watch.stop()
            self._waiting.put(None)
            if self._thread.is_alive():
                self._thread.join(1)

    def coverage(self) -> Coverage:
        running = self.watch.alive() and self._thread.is_alive()
        return Coverage(
            sensor=NAME,
            state=SensorState.RUNNING if running else SensorState.STOPPED,
            proved=self.proved.is_set(),
            proved_ns=self.proved.time_ns,
            events=self._confirmed,
            drops=self._drops,
        )

    def touched(self, touch: Touch) -> None:
        """For the watch on inodes."""
        if touch.mask & IN_OPEN:
            self._by_inode[touch.key] = touch.time_ns
        self._waiting.put(touch)

    def _opened(self, path: str) -> None:
        self._waiting.put((self._setup.clock(), path))

    def _overflow(self) -> None:
        self._drops += 1
        self._gap(
            GapType.EVENTS_LOST, "the system dropped file events: opens by other processes in that moment are not known"
        )

    def _refuse(self, folder: str) -> None:
        self._refused = True
        self._gap(GapType.WATCH_LIMIT, f"the system watches no more folders: {folder} is not watched", LIMIT_REMEDY)

    def _run(self) -> None:
        pause = threading.Event()
        while (item := self._waiting.get()) is not None:
            late = _PATIENCE_SECONDS - (self._setup.clock() - item[0]) / 1e9
            if late > 0 and not self._stopped:
                pause.wait(late)
            if isinstance(item, Touch):
                self._check_touch(item)
            else:
                self._check_name(*item)
        for touch in self._unread.values():  # whoever writes in the session has ended, and closed what it wrote
            self._report(touch.key, touch.path, touch.time_ns)

    def _check_name(self, time_ns: int, path: str) -> None:
        try:
            info = os.stat(path)
        except OSError:
            return
        key = (info.st_dev, info.st_ino)
        if key == self._setup.decoy:
            self.proved.set()
            return
        file = self._setup.files.lookup(*key)
        told_by_inode = abs(self._by_inode.get(key, 0) - time_ns) < _PATIENCE_SECONDS * 1e9
        if file is None or file.kind in GUARD_KINDS or told_by_inode:
            return
        if self._supervised(key, time_ns):
            self._confirmed += 1
        else:
            self._report(key, path, time_ns)

    def _check_touch(self, touch: Touch) -> None:
        """An open for writing alone is not held, by anyone: one that nobody made counts once it has read, or has been
        closed as a reader closes."""
        if touch.mask & IN_CLOSE_WRITE:
            self._unread.pop(touch.key, None)
        elif touch.mask & IN_OPEN:
            if self._supervised(touch.key, touch.time_ns):
                self._confirmed += 1
            else:
                self._unread[touch.key] = touch
        elif touch.key in self._unread and not self._supervised(touch.key, touch.time_ns):
            opened = self._unread.pop(touch.key)
            self._report(opened.key, opened.path, opened.time_ns)

    def _supervised(self, key: _Key, time_ns: int) -> bool:
        return self._setup.seen(*key, time_ns - WINDOW_NS)

    def _report(self, key: _Key, path: str, time_ns: int) -> None:
        if time_ns - self._told.get(key, 0) >= _QUIET_NS:
            self._told[key] = time_ns
            self._gap(
                GapType.UNATTRIBUTED_OPEN,
                f"{path} was opened, and by no process of this session that could be seen",
                "if it was you, an editor or a backup, nothing is wrong",
                time_ns,
            )

    def _gap(self, kind: GapType, detail: str, remedy: str = "", time_ns: int = 0) -> None:
        self._setup.emit(
            GapObservation(time_ns=time_ns or self._setup.clock(), sensor=NAME, type=kind, detail=detail, remedy=remedy)
        )
