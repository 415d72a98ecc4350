"""fanotify permission events: every open of a secret file waits until its process is identified.

Two threads. The reader takes openings from the kernel and answers at once for what is no secret; it never opens a
marked file, takes no lock and asks nobody, so that our own reads, made while something is held, are always let
through. The other one identifies. What it has not answered in time the reader lets go: a guard that hangs must not hang
the machine. When the process dies, the kernel lets everything go.
"""

from __future__ import annotations

import dataclasses
import os
import queue
import select
import stat
import threading
import time
from collections import deque
from dataclasses import dataclass, field

from agentguard.birth import birth_time_ns
from agentguard.errors import SensorError
from agentguard.model.observation import FileObservation, GapObservation, GapType
from agentguard.model.process import Confidence
from agentguard.model.secret import CONTENT_KIND, GUARD_KEY, GUARD_KINDS, SecretFile
from agentguard.model.session import Coverage, SensorState
from agentguard.sense.attach.fanotify_abi import Group, Opening
from agentguard.sense.attach.held_call import opens_for_writing_only
from agentguard.sense.attach.tree_watch import TreeWatch
from agentguard.sense.interface import FolderSetup
from agentguard.sense.proof import Proof

NAME = "fanotify"
HOLD_SECONDS = 2.0
"""An opener is held at most this long."""
_POLL_MILLISECONDS = 250


@dataclass(slots=True, eq=False)
class _Held:
    opening: Opening
    path: str
    file: SecretFile
    since: float = field(default_factory=time.monotonic)
    answered: bool = False


class FanotifySensor:
    """Follows the table of secret files: their inodes, and the folders in which they lie."""

    def __init__(self, setup: FolderSetup, tree: TreeWatch) -> None:
        """Raises SensorError where it is not allowed."""
        self._setup = setup
        self._tree = tree
        self._group = Group()
        self._own_pid = os.getpid()
        self._own_folders: frozenset[str] = frozenset()
        self._held: deque[_Held] = deque()
        self._answering = threading.Lock()
        self._work: queue.SimpleQueue[_Held | None] = queue.SimpleQueue()
        self._opens: dict[tuple[int, int], int] = {}
        self._events = self._drops = 0
        self._error = ""
        self._stopping = threading.Event()
        self.proved = Proof(setup.clock)
        self._reader = threading.Thread(target=self._read_on, name="fanotify", daemon=True)
        self._identifier = threading.Thread(target=self._identify_on, name="fanotify-who", daemon=True)

    def start(self) -> None:
        """Raises SensorError when not even the decoy can be marked."""
        if not self._group.watch_file(self._setup.decoy_path):
            self._group.close()
            raise SensorError("this kernel holds no opens for fanotify (CONFIG_FANOTIFY_ACCESS_PERMISSIONS)")
        guard = (file for file in self._setup.files.files() if file.kind in GUARD_KINDS)
        self._own_folders = frozenset(os.path.dirname(file.path) for file in guard)
        self._setup.files.follow(self)
        self._reader.start()
        self._identifier.start()

    def stop(self) -> None:
        if not self._stopping.is_set():
            self._stopping.set()
            self._reader.join(1)
            self._work.put(None)
            self._identifier.join(1)
            self._group.close()

    def coverage(self) -> Coverage:
        running = self._reader.is_alive() and not self._stopping.is_set()
        state = SensorState.RUNNING if running else SensorState.STOPPED
        return Coverage(
            sensor=NAME,
            state=SensorState.FAILED if self._error else state,
            proved=self.proved.is_set(),
            proved_ns=self.proved.time_ns,
            events=self._events,
            drops=self._drops,
            reason=self._error,
        )

    def saw(self, device: int, inode: int, since_ns: int) -> bool:
        """Whether any process, of the tree or not, was seen to open this file since then."""
        return self._opens.get((device, inode), 0) >= since_ns

    # --- follows the table; what was marked stays marked, and is let through when it is no secret any more ----------

    def added(self, file: SecretFile) -> None:
        """Of the guard's own files the keys alone. Each event comes with a descriptor of the file, and closing one of
        our database would drop the locks that we hold on it (fcntl(2)): the database could be pulled from under us."""
        if file.kind in GUARD_KINDS:
            if file.kind == GUARD_KEY:
                self._group.watch_file(file.path)
            return
        folder = os.path.dirname(file.path) or "/"
        marked = self._group.watch_file(file.path) and (folder in self._own_folders or self._group.watch_folder(folder))
        if not marked and os.access(file.path, os.F_OK):
            self._gap(GapType.SENSOR_UNAVAILABLE, f"opens of {file.path} cannot be held: its file system refuses")

    def discarded(self, device: int, inode: int) -> None:
        """Nothing: see above."""

    # --- the reader -------------------------------------------------------------------------------

    def _read_on(self) -> None:
        poll = select.poll()
        poll.register(self._group.descriptor, select.POLLIN)
        while not self._stopping.is_set():
            if poll.poll(_POLL_MILLISECONDS):
                self._read()
            self._let_go_late()

    def _read(self) -> None:
        try:
            openings = self._group.read()
        except OSError as error:
            self._drops += 1
            self._gap(GapType.EVENTS_LOST, f"an open could not be looked at: {error.strerror}")
            return
        for opening in openings:
            held = self._look(opening) if opening.descriptor >= 0 else None
            if held is not None:
                self._held.append(held)
                self._work.put(held)
            elif opening.descriptor >= 0:
                self._group.allow(opening)

    def _look(self, opening: Opening) -> _Held | None:
        """None: it is no secret, or it is us."""
        info = os.fstat(opening.descriptor)
        key = (info.st_dev, info.st_ino)
        if key == self._setup.decoy:
            self.proved.set()
            return None
        if opening.pid == self._own_pid:
            return None
        link = f"/proc/self/fd/{opening.descriptor}"
        file = self._known(key, link)
        path = _target(link)
        if file is None and stat.S_ISREG(info.st_mode):
            file = self._named(key, path, link)
        if file is None:
            return None
        self._opens[key] = self._setup.clock()
        return _Held(opening, path, file)

    def _known(self, key: tuple[int, int], link: str) -> SecretFile | None:
        """Its entry in the table. An inode number is used again after a delete: the birth time tells."""
        file = self._setup.files.lookup(*key)
        if file is None or not file.birth_time_ns or birth_time_ns(link) in {0, file.birth_time_ns}:
            return file
        return None

    def _named(self, key: tuple[int, int], path: str, link: str) -> SecretFile | None:
        """A file that is not in the table yet, and whose name says that it is secret; or one in the place of a file
        that was secret for what it held. (Whoever identifies the opener reads it: here that would wait for us.)
        """
        pattern = self._setup.files.match_name(path)
        if pattern is None:
            if not self._setup.files.known_path(path):
                return None
            return SecretFile(
                path=path, device=key[0], inode=key[1], birth_time_ns=birth_time_ns(link), kind=CONTENT_KIND
            )
        return SecretFile(
            path=path,
            device=key[0],
            inode=key[1],
            birth_time_ns=birth_time_ns(link),
            kind=pattern.id,
            expected_readers=pattern.expected_readers,
            agent=pattern.agent,
        )

    def _let_go_late(self) -> None:
        while self._held and (self._held[0].answered or time.monotonic() - self._held[0].since > HOLD_SECONDS):
            held = self._held.popleft()
            if self._answer(held):
                self._drops += 1
                self._gap(
                    GapType.EVENTS_LOST,
                    f"{held.file.path} was opened, and by whom could not be found out within {HOLD_SECONDS:g} s",
                )

    def _answer(self, held: _Held) -> bool:
        """Once. False when it was answered before."""
        with self._answering:
            if held.answered:
                return False
            held.answered = True
            self._group.allow(held.opening)
            return True

    # --- who it is --------------------------------------------------------------------------------

    def _identify_on(self) -> None:
        while (held := self._work.get()) is not None:
            try:
                self._identify(held)
            except Exception as error:  # whatever goes wrong here, the open must go on
                self._drops += 1
                self._gap(GapType.SCAN_FAILED, f"the file sensor failed on one open ({type(error).__name__})")
            finally:
                self._answer(held)

    def _identify(self, held: _Held) -> None:
        now = self._setup.clock()
        self._tree.catch_up()
        member = self._tree.members.admit(held.opening.pid, now)
        if member is None or opens_for_writing_only(member.pid):
            return
        process = self._tree.members.snapshot(member)
        if held.answered or _has_ended(held.opening.pidfd):
            return
        file = _where_it_is(held.file, held.path)
        observation = FileObservation(
            time_ns=now,
            sensor=NAME,
            process=process,
            confidence=Confidence.EXACT_HELD,
            path=file.path,
            opened_as=held.path,
            file=file,
            kind=file.kind,
        )
        if self._setup.on_hold(observation):
            self._setup.files.add(file)
            self._events += 1
            self._setup.emit(observation)

    def _gap(self, kind: GapType, detail: str) -> None:
        self._setup.emit(GapObservation(time_ns=self._setup.clock(), sensor=NAME, type=kind, detail=detail))


def _where_it_is(file: SecretFile, opened_as: str) -> SecretFile:
    """Its entry, with the path it has now: it may have been moved a moment ago. A hard link keeps the known path."""
    try:
        info = os.stat(file.path)
    except OSError:
        moved = True
    else:
        moved = (info.st_dev, info.st_ino) != (file.device, file.inode)
    if moved and opened_as and not opened_as.endswith(" (deleted)"):
        return dataclasses.replace(file, path=opened_as)
    return file


def _target(link: str) -> str:
    try:
        return os.fsdecode(os.readlink(link))
    except OSError:
        return ""


def _has_ended(pidfd: int) -> bool:
    """It was killed while we looked: nothing was opened, and its pid may be another's."""
    if pidfd < 0:
        return False
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(0))
