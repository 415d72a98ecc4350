"""Where opens cannot be held: watchdog says that a file was opened, and we look for who in the tree did it.

A reader that has gone when we look cannot be proved to be the one, so what is found carries a lower confidence, and
what is not found is told as a gap. Serves `watch`, and `run` where the agent cannot stand under the seccomp filter.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections import deque

import psutil

from agentguard.model.observation import FileObservation, GapObservation, GapType
from agentguard.model.process import Confidence
from agentguard.model.secret import GUARD_KINDS, SecretFile
from agentguard.model.session import Coverage, SensorState
from agentguard.sense.attach.members import Member
from agentguard.sense.attach.told import Key, Told
from agentguard.sense.attach.tree_watch import TreeWatch
from agentguard.sense.folder_watch import FolderWatch
from agentguard.sense.inode_watch import IN_ACCESS, IN_CLOSE_WRITE, IN_OPEN, LIMIT_REMEDY, Touch
from agentguard.sense.interface import FolderSetup
from agentguard.sense.proof import Proof

NAME = "psutil"
_OWN_READ_NS = 300_000_000
"""An open that nobody in the tree made, this soon after one of our own, is taken for ours."""
_LATE_NS = 500_000_000
"""An event may reach us this long after the open; the opener may have ended meanwhile."""
_WRITTEN_SECONDS = 0.25
"""An open that nobody is found for is told as a gap after this time, unless it was one for writing alone."""
_ONCE_NS = 1_000_000_000
"""A process that opens the same file again within this time is told once."""


class OpenScan:
    """watchdog + a search through the tree."""

    def __init__(self, setup: FolderSetup, tree: TreeWatch, told: Told, *, patience: float = 0.0) -> None:
        """`patience`: seconds that another sensor, which knows better, may take to tell of the same open."""
        self._setup = setup
        self._patience = patience
        self._tree = tree
        self._told = told
        self._opens: queue.SimpleQueue[tuple[int, Key | None, str] | None] = queue.SimpleQueue()
        self._doubtful: deque[tuple[float, int, Key, str]] = deque()
        self._by_inode: dict[Key, int] = {}
        self._read: dict[Key, int] = {}
        self._written: dict[Key, int] = {}
        self._events = self._drops = 0
        self._stopping = threading.Event()
        self.proved = Proof(setup.clock)
        self.watch = FolderWatch(
            on_open=self._opened, on_change=setup.on_change, on_overflow=self._overflow, on_refused=self._refuse
        )
        self._thread = threading.Thread(target=self._run, name="open-scan", daemon=True)

    def start(self, folders: tuple[str, ...]) -> None:
        """Raises SensorError when no folder can be watched."""
        self.watch.start(folders)
        self._thread.start()

    def stop(self) -> None:
        if not self._stopping.is_set():
            self._stopping.set()
            self.watch.stop()
            self._opens.put(None)
            if self._thread.is_alive():
                self._thread.join(1)

    def coverage(self) -> Coverage:
        running = self.watch.alive() and not self._stopping.is_set()
        return Coverage(
            sensor=NAME,
            state=SensorState.RUNNING if running else SensorState.STOPPED,
            proved=self.proved.is_set(),
            proved_ns=self.proved.time_ns,
            events=self._events,
            drops=self._drops,
            reason="readers are looked for after the event: of short ones only the command line says that it was them",
        )

    def touched(self, touch: Touch) -> None:
        """For the watch on inodes: it is faster than the folders', and tells whether anybody read."""
        if touch.mask & IN_OPEN:
            self._by_inode[touch.key] = touch.time_ns
            self._opens.put((touch.time_ns, touch.key, touch.path))
        elif touch.mask & IN_ACCESS:
            self._read[touch.key] = touch.time_ns
        elif touch.mask & IN_CLOSE_WRITE:
            self._written[touch.key] = touch.time_ns

    def _opened(self, path: str) -> None:
        self._opens.put((self._setup.clock(), None, path))

    def _overflow(self) -> None:
        self._drops += 1
        self._gap(GapType.EVENTS_LOST, "the system dropped file events")

    def _refuse(self, folder: str) -> None:
        self._gap(GapType.WATCH_LIMIT, f"the system watches no more folders: {folder} is not watched", LIMIT_REMEDY)

    def _gap(self, kind: GapType, detail: str, remedy: str = "") -> None:
        self._setup.emit(
            GapObservation(time_ns=self._setup.clock(), sensor=NAME, type=kind, detail=detail, remedy=remedy)
        )

    def _run(self) -> None:
        while True:
            try:
                item = self._opens.get(timeout=_WRITTEN_SECONDS if self._doubtful else None)
            except queue.Empty:
                self._settle()
                continue
            if item is None:
                self._settle(float("inf"))
                return
            self._look(*item)
            self._settle()

    def _settle(self, until: float = 0.0) -> None:
        """What has been in doubt long enough becomes a gap."""
        while self._doubtful and self._doubtful[0][0] <= max(until, time.monotonic()):
            _, time_ns, key, path = self._doubtful.popleft()
            was_read = self._written.get(key, 0) < time_ns or self._read.get(key, 0) >= time_ns
            if was_read and not self._accounted_for(key, time_ns):
                self._gap(
                    GapType.UNATTRIBUTED_OPEN,
                    f"{path} was opened, and by which process was not found out",
                    "if it was you, an editor or a backup, nothing is wrong",
                )

    def _look(self, time_ns: int, key: Key | None, path: str) -> None:
        if key is None:
            key = _key(path)
            if key is None or abs(self._by_inode.get(key, 0) - time_ns) < _LATE_NS:
                return  # The watch on the inode has told of it, or will.
        if key == self._setup.decoy:
            self.proved.set()
            return
        file = self._setup.files.lookup(*key) or self._put_in_place(path)
        if file is None or file.kind in GUARD_KINDS:
            return
        self._tree.catch_up()
        found = [(member, Confidence.FD_SEEN) for member in self._holders(key, time_ns)]
        if not found and self._patience:
            self._stopping.wait(max(0.0, self._patience - (self._setup.clock() - time_ns) / 1e9))
            if self._told.take_held(key, time_ns):
                return
        if not found and (named := self._named(key, path, time_ns)) is not None:
            found = [(named, Confidence.PROBABLE)]
        for member, confidence in found:
            self._tell(file, member, confidence, time_ns)
        if not found and not self._accounted_for(key, time_ns):
            self._doubtful.append((time.monotonic() + _WRITTEN_SECONDS, time_ns, key, path))

    def _accounted_for(self, key: Key, time_ns: int) -> bool:
        return self._told.anyone(key, time_ns - _LATE_NS) or self._setup.seen(*key, time_ns - _OWN_READ_NS)

    def _tell(self, file: SecretFile, member: Member, confidence: Confidence, time_ns: int) -> None:
        self._told.note((file.device, file.inode), member.pid, member.start_time, time_ns)
        observation = FileObservation(
            time_ns=time_ns,
            sensor=NAME,
            process=self._tree.members.snapshot(member),
            confidence=confidence,
            path=file.path,
            opened_as=file.path,
            file=file,
            kind=file.kind,
        )
        if self._setup.on_hold(observation):
            self._events += 1
            self._setup.emit(observation)

    def _put_in_place(self, path: str) -> SecretFile | None:
        """An unknown file where one was known to hold a secret: somebody replaced it a moment ago, perhaps."""
        return self._setup.on_change(path) if self._setup.files.known_name(_last(path)) else None

    # --- who --------------------------------------------------------------------------------------

    def _untold(self, key: Key, members: list[Member], time_ns: int) -> list[Member]:
        since = time_ns - _ONCE_NS
        return [one for one in members if not self._told.knows(key, one.pid, one.start_time, since)]

    def _holders(self, key: Key, time_ns: int) -> list[Member]:
        """Not those that only inherited the descriptor: their parent holds it too."""
        holding = {one for one in self._tree.members.living() if _holds(one.pid, key)}
        return self._untold(key, [one for one in holding if one.parent not in holding], time_ns)

    def _named(self, key: Key, path: str, time_ns: int) -> Member | None:
        """The first whose command line names the file; else the only one whose command line could not be read."""
        name = _last(path)
        recent = [one for one in self._tree.members.recent(time_ns - _LATE_NS) if one.started_program]
        candidates = [one for one in self._untold(key, recent, time_ns) if one is not self._tree.members.root]
        naming = [one for one in candidates if any(_last(word) == name for word in one.cmdline[1:])]
        if naming:
            return naming[-1]
        nameless = [one for one in candidates if not one.cmdline]
        return nameless[0] if len(nameless) == 1 else None


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _holds(pid: int, key: Key) -> bool:
    """Whether it has the file open, by whatever name."""
    if sys.platform != "linux":
        return _holds_by_name(pid, key)
    folder = f"/proc/{pid}/fd"
    try:
        return any(_is(f"{folder}/{number}", key) for number in os.listdir(folder))
    except OSError:
        return False


def _holds_by_name(pid: int, key: Key) -> bool:
    try:
        return any(_is(file.path, key) for file in psutil.Process(pid).open_files())
    except (psutil.Error, OSError):
        return False


def _is(path: str, key: Key) -> bool:
    return _key(path) == key


def _key(path: str) -> Key | None:
    try:
        info = os.stat(path)
    except OSError:
        return None
    return info.st_dev, info.st_ino
