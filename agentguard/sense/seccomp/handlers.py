"""What each held call means, whichever loop received it.

While a call is held its thread is blocked in the kernel, so what /proc says of it is true; the notification's id is
checked once more after its memory was read, so that it cannot belong to a successor.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass

from agentguard.model.observation import (
    ExecObservation,
    FileObservation,
    GapObservation,
    GapType,
    Observation,
)
from agentguard.model.process import Confidence, ProcessSnapshot
from agentguard.model.secret import SecretFile
from agentguard.sense.candidates import Candidates
from agentguard.sense.interface import Emit, NamePattern, OnHold, SecretFiles
from agentguard.sense.process_tree import ProcessTree
from agentguard.sense.proof import Proof
from agentguard.sense.seccomp.abi import (
    AT_FDCWD,
    I386_NUMBERS,
    ID,
    IOCTL_ID_VALID,
    NOTIFICATION,
    OPEN_HOW,
    RESOLVE_IN_ROOT,
    VIEW_CHANGES,
    Machine,
)
from agentguard.sense.seccomp.call import GO_ON, Call, Outcome
from agentguard.sense.seccomp.capture import Capture, WayIn
from agentguard.sense.seccomp.egress import Egress, EgressSetup
from agentguard.sense.seccomp.exec_watch import Exec, ExecWatch
from agentguard.sense.seccomp.libc import ioctl
from agentguard.sense.seccomp.memory import CallerMemory
from agentguard.sense.seccomp.paths import View
from agentguard.sense.watch_table import WatchTable

NAME = "seccomp"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeccompSetup:
    """What the sensor must be given."""

    machine: Machine
    listener: int
    shared: mmap.mmap
    """Where notifications are received, and the ids of those that are held: see keeper.py."""
    table: WatchTable | None
    """The table of secret files as C reads it; None when it could not be made."""
    root_pid: int
    files: SecretFiles
    decoy: tuple[int, int]
    """Device and inode of the decoy: its open proves the sensor alive and is not told."""
    gate_decoy: tuple[int, int] | None
    """The same for the gate: its open proves that the gate hands back what is in the table."""
    proxy_port: Callable[[], int]
    """0 while there is no proxy. A connection to it is the expected way out."""
    way_in: WayIn | None = None
    """Where connections that go round the proxy are taken; None: they are told, and go on."""
    emit: Emit
    on_hold: OnHold
    on_change: Callable[[str], SecretFile | None]
    """As `FolderSetup.on_change`."""
    clock: Callable[[], int]
    """ns since the epoch."""


class Handlers:
    """Looks at held calls, and tells. For one thread."""

    def __init__(self, setup: SeccompSetup) -> None:
        self._setup = setup
        self._memory = CallerMemory()
        self._view = View(setup.machine)
        self.tree = ProcessTree(setup.root_pid)
        self._names = {number: name for name, number in setup.machine.numbers.items()}
        self._i386_names = {number: name for name, number in I386_NUMBERS.items()}
        self._execs = ExecWatch(self._memory, self._view, self.tree)
        self._candidates = Candidates(setup.files.name_filter())
        self._own_opens: dict[tuple[int, int], int] = {}
        self._hiding: set[int] = set()
        self._rings: set[int] = set()
        self._egress = Egress(
            EgressSetup(
                sensor=NAME,
                memory=self._memory,
                tree=self.tree,
                capture=Capture(setup.way_in) if setup.way_in else None,
                proxy_port=setup.proxy_port,
                still_held=self._still_valid,
                emit=self._emit,
                tell_gap=self._gap,
                clock=setup.clock,
            )
        )
        self._handlers: dict[str, Callable[[Call], Outcome | None]] = {
            **dict.fromkeys(("open", "openat", "openat2"), self._on_open),
            **dict.fromkeys(("execve", "execveat"), self._on_exec),
            **dict.fromkeys(("sendto", "sendmsg", "sendmmsg"), self._egress.send),
            "connect": self._egress.connect,
            "socketcall": self._egress.socketcall,
            **dict.fromkeys(VIEW_CHANGES, self._on_view_change),
            "io_uring_setup": self._on_ring,
            "open_by_handle_at": self._on_handle,
        }
        self.proved = Proof(setup.clock)
        self.gate_proved = threading.Event()
        self.events = 0
        self.failures = 0
        """Calls that could not be looked at; each was told as a gap."""

    def saw(self, device: int, inode: int, since_ns: int) -> bool:
        """Whether a supervised process opened this file since then (presence, never a count). From any thread."""
        return self._own_opens.get((device, inode), 0) >= since_ns

    def look(self, notification: bytes | mmap.mmap) -> tuple[int, Outcome]:
        """At one held call. Returns its id, and with what it must be answered; never raises."""
        identity, tid, _, number, arch, _, *arguments = NOTIFICATION.unpack_from(notification)
        wide = arch == self._setup.machine.arch
        name = (self._names if wide else self._i386_names).get(number, "")
        handler = self._handlers.get(name)
        if handler is not None:
            call = Call(identity, tid, name, arguments, wide)
            try:
                return identity, handler(call) or GO_ON
            except Exception as error:  # whatever goes wrong here, the agent's call must go on
                self.tell_failed(name, error, self.tree.snapshot(tid))
        return identity, GO_ON

    def tell_exec(self, seen: Exec, time_ns: int) -> None:
        """A program is about to start."""
        self._emit(
            ExecObservation(
                time_ns=time_ns,
                sensor=NAME,
                process=seen.process,
                confidence=Confidence.EXACT_HELD,
                environ=seen.environ,
                privileged=seen.privileged,
            )
        )

    def tell_failed(self, name: str, error: Exception, process: ProcessSnapshot | None) -> None:
        """One call could not be looked at."""
        self.failures += 1
        self._emit(
            GapObservation(
                time_ns=self._setup.clock(),
                sensor=NAME,
                type=GapType.SCAN_FAILED,
                detail=f"the file sensor failed on one {name} ({type(error).__name__})",
                process=process,
            )
        )

    def tell_lost(self, count: int) -> None:
        """The queue was full: nobody looked at these."""
        self.failures += count
        self._emit(
            GapObservation(
                time_ns=self._setup.clock(),
                sensor=NAME,
                type=GapType.EVENTS_LOST,
                detail=f"{count} calls of the agent came faster than they could be looked at",
                count=count,
            )
        )

    def _still_valid(self, call: Call) -> bool:
        buffer = ctypes.create_string_buffer(ID.pack(call.identity), ID.size)
        return ioctl(self._setup.listener, IOCTL_ID_VALID, ctypes.addressof(buffer)) == 0

    # --- opens ----------------------------------------------------------------------------------

    def _on_open(self, call: Call) -> None:
        if call.name == "open":
            directory, pointer = AT_FDCWD, call.arguments[0]
        else:
            directory, pointer = ctypes.c_int32(call.arguments[0] & 0xFFFFFFFF).value, call.arguments[1]
        path = self._memory.string(call.tid, pointer)
        if path is None:
            self._unreadable(call)
            return
        opened_as = os.fsdecode(path)
        if call.name == "openat2" and self._is_confined(call):
            try:
                directory, path = AT_FDCWD, self._view.confined(call.tid, directory, path)
            except OSError:
                return
        info = self._view.stat(call.tid, directory, path)
        if info is None:
            return
        file = self._known(call, directory, path, info) or self._decide(call, directory, path, info)
        if file is not None:
            with self._view.held(call.tid, directory, path, file.path) as held_as:
                is_lasting = stat.S_ISREG(info.st_mode) and not file.path.startswith("/proc/")
                self._tell_open(call, file, opened_as, held_as, is_lasting=is_lasting)

    def _is_confined(self, call: Call) -> bool:
        how = self._memory.read(call.tid, call.arguments[2], OPEN_HOW.size)
        return len(how) == OPEN_HOW.size and bool(OPEN_HOW.unpack(how)[2] & RESOLVE_IN_ROOT)

    def _decide(self, call: Call, directory: int, path: bytes, info: os.stat_result) -> SecretFile | None:
        """Of an inode that is not in the table: a decoy, a file whose name says that it is secret, or one that was
        put in a secret file's place."""
        if (info.st_dev, info.st_ino) == self._setup.decoy:
            self.proved.set()
            return None
        if (info.st_dev, info.st_ino) == self._setup.gate_decoy:
            self.gate_proved.set()
            return None
        if stat.S_ISDIR(info.st_mode):
            return None
        pattern = self._named(call, directory, path)
        if pattern is None:
            return self._put_in_place(call, directory, path, info)
        return SecretFile(
            path=self._view.real_path(call.tid, directory, path),
            device=info.st_dev,
            inode=info.st_ino,
            birth_time_ns=self._view.birth_time_ns(call.tid, directory, path),
            kind=pattern.id,
            expected_readers=pattern.expected_readers,
            agent=pattern.agent,
        )

    def _named(self, call: Call, directory: int, path: bytes) -> NamePattern | None:
        """By the name it was opened by; or by its own, where that one is a link's, or is only the end of a path."""
        pattern = self._setup.files.match_name(os.fsdecode(path))
        if pattern is None and (
            self._view.by_link or (not path.startswith(b"/") and self._candidates.may_be_named(path))
        ):
            pattern = self._setup.files.match_name(self._view.real_path(call.tid, directory, path))
        return pattern

    def _put_in_place(self, call: Call, directory: int, path: bytes, info: os.stat_result) -> SecretFile | None:
        """An unknown file where one was known to hold a secret: somebody replaced it a moment ago, perhaps."""
        real = self._view.real_path(call.tid, directory, path) if self._view.by_link else os.fsdecode(path)
        if not self._setup.files.known_name(real.rpartition("/")[2]) or not stat.S_ISREG(info.st_mode):
            return None
        file = self._setup.on_change(self._view.real_path(call.tid, directory, path))
        return file if file is not None and (file.device, file.inode) == (info.st_dev, info.st_ino) else None

    def _known(self, call: Call, directory: int, path: bytes, info: os.stat_result) -> SecretFile | None:
        """Its entry in the table. An inode number is used again after a delete: the birth time tells."""
        file = self._setup.files.lookup(info.st_dev, info.st_ino)
        if file is None or not file.birth_time_ns:
            return file
        born = self._view.birth_time_ns(call.tid, directory, path)
        if born and born != file.birth_time_ns:
            self._setup.files.discard(info.st_dev, info.st_ino)
            return None
        return file

    def _tell_open(self, call: Call, file: SecretFile, opened_as: str, held_as: str, *, is_lasting: bool) -> None:
        """`is_lasting`: it goes into the table, unless it turns out to hold no secret."""
        now = self._setup.clock()
        snapshot = self.tree.snapshot(call.tid)
        if not self._still_valid(call):
            return  # It was killed while we looked: nothing was opened.
        self._own_opens[(file.device, file.inode)] = now
        observation = FileObservation(
            time_ns=now,
            sensor=NAME,
            process=snapshot,
            confidence=Confidence.EXACT_HELD,
            path=file.path,
            opened_as=opened_as,
            file=file,
            kind=file.kind,
            held_as=held_as,
        )
        if self._setup.on_hold(observation):
            if is_lasting:
                self._setup.files.add(file)
            self._emit(observation)

    # --- the rest -------------------------------------------------------------------------------

    def _on_exec(self, call: Call) -> None:
        seen = self._execs.look(call.tid, call.name, call.arguments, call.wide)
        if seen is not None and self._still_valid(call):
            self.tell_exec(seen, self._setup.clock())

    def _on_view_change(self, call: Call) -> None:  # noqa: ARG002 - it concerns all threads
        self._view.forget()

    def _on_ring(self, call: Call) -> None:
        pid = self.tree.snapshot(call.tid).pid
        if pid not in self._rings:
            self._rings.add(pid)
            self._gap(GapType.IO_URING, call, "a process made an io_uring ring: opens through it are not held")

    def _on_handle(self, call: Call) -> None:
        self._gap(GapType.UNREADABLE_PATH, call, "a process opened a file by its handle: its name is not known")

    def _unreadable(self, call: Call) -> None:
        pid = self.tree.snapshot(call.tid).pid
        if pid not in self._hiding and self._still_valid(call):
            self._hiding.add(pid)
            self._gap(GapType.UNREADABLE_PATH, call, "a process hides its memory: the name it opened cannot be read")

    def _gap(self, kind: GapType, call: Call, detail: str) -> None:
        self._emit(
            GapObservation(
                time_ns=self._setup.clock(),
                sensor=NAME,
                type=kind,
                detail=detail,
                process=self.tree.snapshot(call.tid),
            )
        )

    def _emit(self, observation: Observation) -> None:
        self.events += 1
        self._setup.emit(observation)
