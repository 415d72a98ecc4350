"""File leases: whoever opens a leased file waits in the kernel until we have seen who it is, and let it go.

For the owner of the files alone (or CAP_LEASE), and only while nobody has the file open. What opens a leased file with
O_NONBLOCK (`grep -r`) is not held but refused (EAGAIN), which is why this is asked for with `--hold`.
The kernel says that a lease is being broken with a signal; it must be blocked in every thread (`block_signals`).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import queue
import signal
import threading
import time
from dataclasses import dataclass

from agentguard.model.observation import FileObservation
from agentguard.model.process import Confidence, ProcessSnapshot
from agentguard.model.secret import GUARD_KINDS, SecretFile
from agentguard.model.session import Coverage, SensorState
from agentguard.sense import procfs
from agentguard.sense.attach.held_call import opens_for_writing_only
from agentguard.sense.attach.members import Member
from agentguard.sense.attach.told import Told
from agentguard.sense.attach.tree_watch import TreeWatch
from agentguard.sense.interface import FolderSetup
from agentguard.sense.proof import Proof

NAME = "lease"
_SIGNAL = signal.SIGRTMIN + 5
_SIGNALS = {_SIGNAL, signal.SIGIO}
"""SIGIO comes instead when the queue of real-time signals is full."""
_LOOK_SECONDS = 0.05
"""How long an opener is looked for. The kernel itself would hold it for /proc/sys/fs/lease-break-time, 45 s."""
_ARM_SECONDS = (0.002, 0.1)
"""First and longest wait before a lease is tried again: it is refused while anyone has the file open."""
_OWN_READ_SECONDS = 0.02
"""After a break that nobody of the tree made: our own reader, who is refused too, tries again within this time."""
_WAKE_SECONDS = 0.002
_WAITS = "__break_lease"


@dataclass(slots=True, eq=False)
class _Leased:
    path: str
    file: SecretFile | None
    """None: the decoy."""
    descriptor: int
    armed: bool = False
    pause: float = _ARM_SECONDS[0]
    due: float = 0.0


def block_signals() -> None:
    """Before any thread is started: threads inherit it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


class LeaseSensor:
    """Follows the table of secret files; one thread."""

    def __init__(self, setup: FolderSetup, tree: TreeWatch, told: Told) -> None:
        self._setup = setup
        self._tree = tree
        self._told = told
        self._changes: queue.SimpleQueue[SecretFile | tuple[int, int]] = queue.SimpleQueue()
        self._leased: dict[tuple[int, int], _Leased] = {}
        self._events = self._refused = 0
        self._stopping = threading.Event()
        self.proved = Proof(setup.clock)
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def start(self) -> None:
        self._take(self._setup.decoy, self._setup.decoy_path, None)
        self._setup.files.follow(self)
        self._arm()
        self._thread.start()

    def stop(self) -> None:
        if not self._stopping.is_set():
            self._stopping.set()
            self._thread.join(1)
            for leased in self._leased.values():
                os.close(leased.descriptor)  # Lets go whoever waits.

    def coverage(self) -> Coverage:
        running = self._thread.is_alive() and not self._stopping.is_set()
        reason = "holds an opener only while nobody else has the file open"
        if self._refused:
            reason += f"; {self._refused} files belong to others and cannot be leased"
        return Coverage(
            sensor=NAME,
            state=SensorState.RUNNING if running else SensorState.STOPPED,
            proved=self.proved.is_set(),
            proved_ns=self.proved.time_ns,
            events=self._events,
            reason=reason,
        )

    def added(self, file: SecretFile) -> None:
        if file.kind not in GUARD_KINDS:  # The guard itself has those open.
            self._changes.put(file)

    def discarded(self, device: int, inode: int) -> None:
        self._changes.put((device, inode))

    # --- the leases -------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._follow()
            self._arm()
            waiting = [leased.pause for leased in self._leased.values() if not leased.armed]
            signal.sigtimedwait(_SIGNALS, min([*waiting, _ARM_SECONDS[1]]))
            breaking = [leased for leased in self._leased.values() if leased.armed and _is_breaking(leased)]
            for number, leased in enumerate(breaking, 1):
                self._broken(leased, others=number < len(breaking))

    def _follow(self) -> None:
        while not self._changes.empty():
            change = self._changes.get()
            if isinstance(change, SecretFile):
                self._take((change.device, change.inode), change.path, change)
            elif (gone := self._leased.pop(change, None)) is not None:
                os.close(gone.descriptor)

    def _take(self, key: tuple[int, int], path: str, file: SecretFile | None) -> None:
        known = self._leased.get(key)
        if known is not None:
            known.file = file
            return
        if file is not None:
            self._setup.on_look(*key)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return
        info = os.fstat(descriptor)
        if (info.st_dev, info.st_ino) == key:
            self._leased[key] = _Leased(path, file, descriptor)
        else:
            os.close(descriptor)

    def _arm(self) -> None:
        now = time.monotonic()
        for key, leased in list(self._leased.items()):
            if leased.armed or leased.due > now:
                continue
            try:
                fcntl.fcntl(leased.descriptor, fcntl.F_SETSIG, _SIGNAL)  # F_UNLCK has reset it to SIGIO.
                fcntl.fcntl(leased.descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
                leased.armed, leased.pause = True, _ARM_SECONDS[0]
            except OSError as error:
                if error.errno == errno.EAGAIN:  # Somebody has it open.
                    leased.due = now + leased.pause
                    leased.pause = min(2 * leased.pause, _ARM_SECONDS[1])
                else:
                    self._refused += 1
                    os.close(self._leased.pop(key).descriptor)

    def _broken(self, leased: _Leased, *, others: bool) -> None:
        """`others`: more leases are being broken, so a member may be waiting for another file."""
        held: dict[Member, ProcessSnapshot] = {}
        now = self._setup.clock()
        try:
            if leased.file is None:
                self.proved.set()
            else:
                readers = [member for member in self._openers() if not opens_for_writing_only(member.pid)]
                held = {member: self._tree.members.snapshot(member) for member in readers}
        finally:
            leased.armed = False
            leased.due = time.monotonic() + (0 if held else _OWN_READ_SECONDS)
            with contextlib.suppress(OSError):
                fcntl.fcntl(leased.descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        if others:  # Whoever waited for this file has woken up.
            time.sleep(_WAKE_SECONDS)
            held = {member: snapshot for member, snapshot in held.items() if not _sleeps_in_break(member.pid)}
        for member, snapshot in held.items():
            if leased.file is not None:
                self._tell(leased.file, member, snapshot, now)

    def _openers(self) -> list[Member]:
        """Members that sleep in the break of a lease; they may not have gone to sleep yet."""
        deadline = time.monotonic() + _LOOK_SECONDS
        while True:
            self._tree.catch_up()
            found = [member for member in self._tree.members.living() if _sleeps_in_break(member.pid)]
            if found or time.monotonic() > deadline:
                return found
            time.sleep(0.0005)

    def _tell(self, file: SecretFile, member: Member, process: ProcessSnapshot, now: int) -> None:
        key = (file.device, file.inode)
        self._told.note(key, member.pid, member.start_time, now)
        self._told.held(key, now)
        observation = FileObservation(
            time_ns=now,
            sensor=NAME,
            process=process,
            confidence=Confidence.EXACT_HELD,
            path=file.path,
            opened_as=file.path,
            file=file,
            kind=file.kind,
        )
        if self._setup.on_hold(observation):
            self._events += 1
            self._setup.emit(observation)


def _is_breaking(leased: _Leased) -> bool:
    return fcntl.fcntl(leased.descriptor, fcntl.F_GETLEASE) != fcntl.F_WRLCK


def _sleeps_in_break(pid: int) -> bool:
    return any(procfs.read_wchan(pid, tid) == _WAITS for tid in procfs.threads(pid))
