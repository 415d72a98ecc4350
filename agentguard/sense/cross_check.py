"""The second opinion: every open that the folder watch saw must have been made by a process we supervise.

One that nobody made was made outside the session's tree, or in a way the first sensor cannot follow (io_uring,
a descriptor handed over). It is a gap, told by presence in a window of time: inotify merges equal events.
"""

from __future__ import annotations

import os
import queue
import threading

from agentguard.model.observation import GapObservation, GapType
from agentguard.model.session import Coverage, SensorState
from agentguard.sense.folder_watch import FolderWatch
from agentguard.sense.interface import FolderSetup

NAME = "watchdog"
WINDOW_NS = 1_000_000_000
"""An open is matched with a supervised one of the same file at most this long before it."""
_PATIENCE_SECONDS = 0.25
"""How long the first sensor may take to tell of the same open."""
_QUIET_NS = 10_000_000_000
"""One gap a file in this time: a backup or an editor may open it many times."""


class CrossCheck:
    """Confirms supervised opens, and shows the others."""

    def __init__(self, setup: FolderSetup) -> None:
        self._setup = setup
        self._waiting: queue.SimpleQueue[tuple[int, str] | None] = queue.SimpleQueue()
        self._told: dict[tuple[int, int], int] = {}
        self._confirmed = self._drops = 0
        self._error = ""
        self._stopped = False
        self.proved = threading.Event()
        self.watch = FolderWatch(on_open=self._opened, on_change=setup.on_change, on_overflow=self._overflow)
        self._thread = threading.Thread(target=self._run, name="cross-check", daemon=True)

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
        state = SensorState.RUNNING if self.watch.alive() else SensorState.STOPPED
        return Coverage(
            sensor=NAME, state=state, proved=self.proved.is_set(), events=self._confirmed, drops=self._drops
        )

    def _opened(self, path: str) -> None:
        self._waiting.put((self._setup.clock(), path))

    def _overflow(self) -> None:
        self._drops += 1
        self._setup.emit(
            GapObservation(
                time_ns=self._setup.clock(),
                sensor=NAME,
                type=GapType.EVENTS_LOST,
                detail="the system dropped file events: opens by other processes in that moment are not known",
            )
        )

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            item = self._waiting.get()
            if item is None:
                return
            time_ns, path = item
            late = _PATIENCE_SECONDS - (self._setup.clock() - time_ns) / 1e9
            if late > 0 and not self._stopped:
                pause.wait(late)
            self._check(time_ns, path)

    def _check(self, time_ns: int, path: str) -> None:
        try:
            info = os.stat(path)
        except OSError:
            return
        key = (info.st_dev, info.st_ino)
        if key == self._setup.decoy:
            self.proved.set()
            return
        if self._setup.files.lookup(*key) is None:
            return
        if self._setup.seen(*key, time_ns - WINDOW_NS):
            self._confirmed += 1
        elif time_ns - self._told.get(key, 0) >= _QUIET_NS:
            self._told[key] = time_ns
            self._setup.emit(
                GapObservation(
                    time_ns=time_ns,
                    sensor=NAME,
                    type=GapType.UNATTRIBUTED_OPEN,
                    detail=f"{path} was opened, and by no process of this session that could be seen",
                    remedy="if it was you, an editor or a backup, nothing is wrong",
                )
            )
