"""The fallback where opens cannot be held: watchdog says that a file was opened, psutil looks for who has it.

Short-lived readers are gone before anyone looks (measured: one in four is found), so what it finds carries a
lower confidence, and what it does not find is told as a gap.
"""

from __future__ import annotations

import os
import queue
import threading

import psutil

from agentguard.model.observation import ExecObservation, FileObservation, GapObservation, GapType
from agentguard.model.process import Ancestor, Confidence, ProcessSnapshot
from agentguard.model.secret import GUARD_KINDS, SecretFile
from agentguard.model.session import Coverage, SensorState
from agentguard.sense.folder_watch import FolderWatch
from agentguard.sense.inode_watch import LIMIT_REMEDY
from agentguard.sense.interface import FolderSetup
from agentguard.sense.proof import Proof

NAME = "psutil"
_TREE_SECONDS = 0.1
_OWN_READ_NS = 300_000_000
"""An open this soon after one of our own is taken for ours. Longer would hide the agent's."""


class OpenScan:
    """watchdog + psutil over the descendants of one root process."""

    def __init__(self, setup: FolderSetup) -> None:
        self._setup = setup
        self._opens: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._known: dict[tuple[int, float], psutil.Process] = {}
        self._events = self._drops = 0
        self._stopping = threading.Event()
        self.proved = Proof(setup.clock)
        self.watch = FolderWatch(
            on_open=self._opens.put, on_change=setup.on_change, on_overflow=self._overflow, on_refused=self._refuse
        )
        self._threads = [
            threading.Thread(target=self._run, name="open-scan", daemon=True),
            threading.Thread(target=self._follow_tree, name="tree-scan", daemon=True),
        ]

    def start(self, folders: tuple[str, ...]) -> None:
        """Raises SensorError when no folder can be watched."""
        self.watch.start(folders)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        if not self._stopping.is_set():
            self._stopping.set()
            self.watch.stop()
            self._opens.put(None)

    def coverage(self) -> Coverage:
        running = self.watch.alive() and not self._stopping.is_set()
        return Coverage(
            sensor=NAME,
            state=SensorState.RUNNING if running else SensorState.STOPPED,
            proved=self.proved.is_set(),
            proved_ns=self.proved.time_ns,
            events=self._events,
            drops=self._drops,
            reason="readers are looked for after the event: short ones are missed",
        )

    def _overflow(self) -> None:
        self._drops += 1
        self._gap(GapType.EVENTS_LOST, "the system dropped file events")

    def _refuse(self, folder: str) -> None:
        self._gap(GapType.WATCH_LIMIT, f"the system watches no more folders: {folder} is not watched", LIMIT_REMEDY)

    def _gap(self, kind: GapType, detail: str, remedy: str = "") -> None:
        self._setup.emit(
            GapObservation(time_ns=self._setup.clock(), sensor=NAME, type=kind, detail=detail, remedy=remedy)
        )

    # --- opens ----------------------------------------------------------------------------------

    def _run(self) -> None:
        while (path := self._opens.get()) is not None:
            self._look(path)

    def _look(self, path: str) -> None:
        try:
            info = os.stat(path)
        except OSError:
            return
        key = (info.st_dev, info.st_ino)
        if key == self._setup.decoy:
            self.proved.set()
            return
        now = self._setup.clock()
        file = self._setup.files.lookup(*key) or self._put_in_place(path)
        if file is None or file.kind in GUARD_KINDS or self._setup.seen(*key, now - _OWN_READ_NS):
            return
        found = self._who(path)
        if found is None:
            self._gap(GapType.UNATTRIBUTED_OPEN, f"{path} was opened by a process that had gone before it was found")
            return
        process, confidence = found
        observation = FileObservation(
            time_ns=now,
            sensor=NAME,
            process=process,
            confidence=confidence,
            path=path,
            opened_as=path,
            file=file,
            kind=file.kind,
        )
        if self._setup.on_hold(observation):
            self._events += 1
            self._setup.emit(observation)

    def _put_in_place(self, path: str) -> SecretFile | None:
        """An unknown file where one was known to hold a secret: somebody replaced it a moment ago, perhaps."""
        return self._setup.on_change(path) if self._setup.files.known_name(path.rpartition("/")[2]) else None

    def _who(self, path: str) -> tuple[ProcessSnapshot, Confidence] | None:
        """The holder of a descriptor, newest first; else the one process whose command line names the file."""
        processes = sorted(self._tree(), key=_age, reverse=True)
        for process in processes:
            if _holds(process, path):
                return _snapshot(process, self._setup.root_pid), Confidence.FD_SEEN
        name = path.rpartition("/")[2]
        naming = [process for process in processes if _names(process, name)]
        if len(naming) == 1:
            return _snapshot(naming[0], self._setup.root_pid), Confidence.PROBABLE
        return None

    def _tree(self) -> list[psutil.Process]:
        try:
            root = psutil.Process(self._setup.root_pid)
            return [root, *root.children(recursive=True)]
        except psutil.Error:
            return []

    # --- execs ----------------------------------------------------------------------------------

    def _follow_tree(self) -> None:
        """New processes, as often as is cheap: commands that fetch credentials are seen if they live that long."""
        while not self._stopping.wait(_TREE_SECONDS):
            alive = {(process.pid, _age(process)): process for process in self._tree()}
            for key in alive.keys() - self._known.keys():
                self._setup.emit(
                    ExecObservation(
                        time_ns=self._setup.clock(),
                        sensor=NAME,
                        process=_snapshot(alive[key], self._setup.root_pid),
                        confidence=Confidence.EXACT_PID,
                    )
                )
            self._known = alive


def _age(process: psutil.Process) -> float:
    try:
        return float(process.create_time())
    except psutil.Error:
        return 0.0


def _holds(process: psutil.Process, path: str) -> bool:
    try:
        return any(file.path == path for file in process.open_files())
    except (psutil.Error, OSError):
        return False


def _names(process: psutil.Process, name: str) -> bool:
    try:
        return any(part.rpartition("/")[2] == name for part in process.cmdline()[1:])
    except psutil.Error:
        return False


def _snapshot(process: psutil.Process, root_pid: int) -> ProcessSnapshot:
    """psutil's `exe()` guesses when denied; an empty one says so more honestly."""
    try:
        with process.oneshot():
            links = [] if process.pid == root_pid else process.parents()
            chain = []
            for link in links:
                chain.append(Ancestor(link.pid, link.name()))
                if link.pid == root_pid:
                    break
            return ProcessSnapshot(
                pid=process.pid,
                parent_pid=process.ppid(),
                exe=process.exe(),
                cmdline=tuple(process.cmdline()),
                cwd=process.cwd(),
                ancestors=tuple(chain),
            )
    except (psutil.Error, OSError):
        return ProcessSnapshot(pid=process.pid)
