"""The supervisor's side: receives each held call, looks, tells, and lets it go.

One thread. While a call is held its thread is blocked in the kernel, so what /proc says of it is true; the
notification's id is checked once more after its memory was read, so that it cannot belong to a successor.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import select
import stat
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agentguard.model.observation import (
    ConnectObservation,
    ExecObservation,
    FileObservation,
    GapObservation,
    GapType,
)
from agentguard.model.process import Confidence
from agentguard.model.secret import SecretFile
from agentguard.model.session import Coverage, SensorState
from agentguard.sense.interface import Emit, OnHold, SecretFiles
from agentguard.sense.process_tree import ProcessTree
from agentguard.sense.proof import Proof
from agentguard.sense.seccomp.abi import (
    I386_NUMBERS,
    ID,
    IOCTL_ID_VALID,
    IOCTL_RECV,
    IOCTL_SEND,
    IOCTL_SET_FLAGS,
    NOTIFICATION,
    NOTIFICATION_SIZE,
    RESPONSE,
    SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP,
    SECCOMP_USER_NOTIF_FLAG_CONTINUE,
    VIEW_CHANGES,
    Machine,
)
from agentguard.sense.seccomp.addresses import broker, destination
from agentguard.sense.seccomp.exec_watch import ExecWatch
from agentguard.sense.seccomp.libc import ioctl, libc
from agentguard.sense.seccomp.memory import CallerMemory
from agentguard.sense.seccomp.paths import View
from agentguard.sense.watch_table import WatchTable

NAME = "seccomp"
_FDCWD = -100
_ZEROS = bytes(NOTIFICATION_SIZE)


class Call(NamedTuple):
    """One held system call. (A named tuple: one is made at every open, and a frozen dataclass takes 1 µs longer.)"""

    identity: int
    tid: int
    name: str
    arguments: Sequence[int]
    wide: bool
    """False for a 32-bit caller: its pointers have 4 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeccompSetup:
    """What the sensor must be given."""

    machine: Machine
    listener: int
    shared: mmap.mmap
    table: WatchTable | None
    """The table of secret files as C reads it; None when it could not be made."""
    root_pid: int
    files: SecretFiles
    decoy: tuple[int, int]
    """Device and inode of the decoy: its open proves the sensor alive and is not told."""
    proxy_port: Callable[[], int]
    """0 while there is no proxy. A connection to it is the expected way out."""
    emit: Emit
    on_hold: OnHold
    on_change: Callable[[str], SecretFile | None]
    """As `FolderSetup.on_change`."""
    clock: Callable[[], int]
    """ns since the epoch."""


class SeccompSensor:
    """Reads the listener until the last process of the tree has gone."""

    def __init__(self, setup: SeccompSetup) -> None:
        self._setup = setup
        self._memory = CallerMemory()
        self._view = View(setup.machine)
        self._tree = ProcessTree(setup.root_pid)
        self._names = {number: name for name, number in setup.machine.numbers.items()}
        self._i386_names = {number: name for name, number in I386_NUMBERS.items()}
        self._execs = ExecWatch(self._memory, self._view, self._tree)
        self._answer = ctypes.create_string_buffer(RESPONSE.size)
        self._answer_at = ctypes.addressof(self._answer)
        self._received_at = ctypes.addressof(ctypes.c_char.from_buffer(setup.shared))
        self._own_opens: dict[tuple[int, int], int] = {}
        self._rings: set[int] = set()
        self._brokers: set[str] = set()
        self._handlers = {
            **dict.fromkeys(("open", "openat", "openat2"), self._on_open),
            **dict.fromkeys(("execve", "execveat"), self._on_exec),
            **dict.fromkeys(("connect", "sendto", "socketcall"), self._on_connect),
            **dict.fromkeys(VIEW_CHANGES, self._on_view_change),
            "io_uring_setup": self._on_ring,
            "open_by_handle_at": self._on_handle,
        }
        self.proved = Proof(setup.clock)
        self.tree_ended = threading.Event()
        self._events = 0
        self._failures = 0
        self._error = ""
        self._thread = threading.Thread(target=self._run, name="seccomp", daemon=True)

    def start(self) -> None:
        """Begin to answer. From now on the tree depends on this thread (or on the keeper)."""
        ioctl(self._setup.listener, IOCTL_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
        self._thread.start()

    def coverage(self) -> Coverage:
        state = SensorState.RUNNING if self._thread.is_alive() else SensorState.STOPPED
        return Coverage(
            sensor=NAME,
            state=SensorState.FAILED if self._error else state,
            proved=self.proved.is_set(),
            proved_ns=self.proved.time_ns,
            events=self._events,
            drops=self._failures,
            reason=self._error,
        )

    def saw(self, device: int, inode: int, since_ns: int) -> bool:
        """Whether a supervised process opened this file since then (presence, never a count)."""
        return self._own_opens.get((device, inode), 0) >= since_ns

    # --- the loop -------------------------------------------------------------------------------

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._setup.listener, select.POLLIN)
        try:
            while True:
                for _, event in poll.poll():
                    if event & select.POLLIN:
                        self._serve_one()
                    elif event & (select.POLLHUP | select.POLLERR | select.POLLNVAL):
                        return
        except OSError as error:
            self._error = f"the listener failed: {errno.errorcode.get(error.errno or 0, 'unknown')}"
        finally:
            self.tree_ended.set()

    def _serve_one(self) -> None:
        """The hot path: once at every open of the tree. Each microsecond here is one of the agent's."""
        setup = self._setup
        setup.shared[0:NOTIFICATION_SIZE] = _ZEROS  # The kernel answers EINVAL to anything but zeros.
        if libc.ioctl(setup.listener, IOCTL_RECV, self._received_at) < 0:
            error = ctypes.get_errno()
            if error in {errno.ENOENT, errno.EINTR}:
                return
            raise OSError(error, "receive")
        identity, tid, _, number, arch, _, *arguments = NOTIFICATION.unpack_from(setup.shared)
        wide = arch == setup.machine.arch
        name = (self._names if wide else self._i386_names).get(number, "")
        try:
            self._look(Call(identity, tid, name, arguments, wide))
        finally:
            RESPONSE.pack_into(self._answer, 0, identity, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE)
            libc.ioctl(setup.listener, IOCTL_SEND, self._answer_at)  # ENOENT: the task died meanwhile.

    def _look(self, call: Call) -> None:
        handler = self._handlers.get(call.name)
        if handler is None:
            return
        try:
            handler(call)
        except Exception as error:  # whatever goes wrong here, the agent's call must go on
            self._failures += 1
            self._gap(GapType.SCAN_FAILED, call, f"the file sensor failed on one {call.name} ({type(error).__name__})")

    def _still_valid(self, call: Call) -> bool:
        buffer = ctypes.create_string_buffer(ID.pack(call.identity), ID.size)
        return ioctl(self._setup.listener, IOCTL_ID_VALID, ctypes.addressof(buffer)) == 0

    # --- opens ----------------------------------------------------------------------------------

    def _on_open(self, call: Call) -> None:
        if call.name == "open":
            directory, pointer = _FDCWD, call.arguments[0]
        else:
            directory, pointer = ctypes.c_int32(call.arguments[0] & 0xFFFFFFFF).value, call.arguments[1]
        path = self._memory.string(call.tid, pointer)
        if path is None:
            self._unreadable(call)
            return
        info = self._view.stat(call.tid, directory, path)
        if info is None:
            return
        file = self._known(call, directory, path, info)
        if file is None:
            pattern = self._setup.files.match_name(os.fsdecode(path))
            if pattern is None and self._view.by_link:
                pattern = self._setup.files.match_name(self._view.link_target(call.tid, directory, path))
            if pattern is None or stat.S_ISDIR(info.st_mode):
                if (info.st_dev, info.st_ino) == self._setup.decoy:
                    self.proved.set()
                elif (file := self._put_in_place(call, directory, path, info)) is not None:
                    self._tell_open(call, file, os.fsdecode(path))
                return
            file = SecretFile(
                path=self._view.real_path(call.tid, directory, path),
                device=info.st_dev,
                inode=info.st_ino,
                birth_time_ns=self._view.birth_time_ns(call.tid, directory, path),
                kind=pattern.id,
                expected_readers=pattern.expected_readers,
                agent=pattern.agent,
            )
            if stat.S_ISREG(info.st_mode):
                self._setup.files.add(file)
        self._tell_open(call, file, os.fsdecode(path))

    def _put_in_place(self, call: Call, directory: int, path: bytes, info: os.stat_result) -> SecretFile | None:
        """An unknown file where one was known to hold a secret: somebody replaced it a moment ago, perhaps."""
        real = path if not self._view.by_link else self._view.link_target(call.tid, directory, path)
        name = os.fsdecode(real).rpartition("/")[2]
        if not self._setup.files.known_name(name) or not stat.S_ISREG(info.st_mode):
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

    def _tell_open(self, call: Call, file: SecretFile, opened_as: str) -> None:
        now = self._setup.clock()
        snapshot = self._tree.snapshot(call.tid)
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
        )
        if self._setup.on_hold(observation):
            self._emit(observation)

    # --- the rest -------------------------------------------------------------------------------

    def _on_exec(self, call: Call) -> None:
        seen = self._execs.look(call.tid, call.name, call.arguments, call.wide)
        self._view.forget(call.tid)
        if seen is None or not self._still_valid(call):
            return
        self._emit(
            ExecObservation(
                time_ns=self._setup.clock(),
                sensor=NAME,
                process=seen.process,
                confidence=Confidence.EXACT_HELD,
                environ=seen.environ,
                privileged=seen.privileged,
            )
        )

    def _on_connect(self, call: Call) -> None:
        target = destination(self._memory, call.tid, call.name, call.arguments, call.wide)
        if target is None:
            self._on_broker(call)
            return
        port = self._setup.proxy_port()
        if target.loopback and port and target.port == port:
            return
        self._emit(
            ConnectObservation(
                time_ns=self._setup.clock(),
                sensor=NAME,
                process=self._tree.snapshot(call.tid),
                confidence=Confidence.EXACT_HELD,
                address=target.address,
                port=target.port,
                transport=target.transport,
            )
        )

    def _on_broker(self, call: Call) -> None:
        path = broker(self._memory, call.tid, call.name, call.arguments, call.wide)
        if path and path not in self._brokers:
            self._brokers.add(path)
            self._gap(GapType.OUTSIDE_TREE, call, f"work was handed to the program behind {path}, outside the session")

    def _on_view_change(self, call: Call) -> None:
        self._view.forget(call.tid)

    def _on_ring(self, call: Call) -> None:
        pid = self._tree.snapshot(call.tid).pid
        if pid not in self._rings:
            self._rings.add(pid)
            self._gap(GapType.IO_URING, call, "a process made an io_uring ring: opens through it are not held")

    def _on_handle(self, call: Call) -> None:
        self._gap(GapType.UNREADABLE_PATH, call, "a process opened a file by its handle: its name is not known")

    def _unreadable(self, call: Call) -> None:
        if self._still_valid(call):
            self._gap(GapType.UNREADABLE_PATH, call, "a process hides its memory: the name it opened cannot be read")

    def _gap(self, kind: GapType, call: Call, detail: str) -> None:
        self._emit(
            GapObservation(
                time_ns=self._setup.clock(),
                sensor=NAME,
                type=kind,
                detail=detail,
                process=self._tree.snapshot(call.tid),
            )
        )

    def _emit(self, observation: FileObservation | ExecObservation | ConnectObservation | GapObservation) -> None:
        self._events += 1
        self._setup.emit(observation)
