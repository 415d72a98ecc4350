"""The loop in C (native/loop.c): a thread that needs no lock of ours. Here arrive the records of execs, and the calls
that it could not let go, in the order in which the tree made them.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import struct
import threading

from agentguard.native.find import find_library
from agentguard.sense.process_tree import Link, Started
from agentguard.sense.seccomp.abi import (
    ARCH_I386,
    ARCH_X86_64,
    I386_NUMBERS,
    IOCTL_ID_VALID,
    IOCTL_RECV,
    IOCTL_SEND,
    SECCOMP_USER_NOTIF_FLAG_CONTINUE,
    VIEW_CHANGES,
    Machine,
)
from agentguard.sense.seccomp.exec_watch import Exec, environment, interpreter, privileged
from agentguard.sense.seccomp.handlers import Handlers, SeccompSetup

ABI = 3
"""AG_LOOP_ABI of loop.c."""
QUEUE_BYTES = 16 << 20
PATIENCE_NS = 1_000_000_000
"""How long the agent is kept waiting for room in the queue."""
_PIDFD_OPEN = 434
"""pidfd_open(2), 5.3: the same number on every architecture."""
_HELD, _EXEC, _MARK = 1, 2, 3
_HAND_OVER, _OPEN, _OPENAT, _EXECVE, _EXECVEAT, _CONNECT, _SENDTO, _SENDMSG, _VIEW = range(9)
_KINDS = {
    "open": _OPEN,
    "openat": _OPENAT,
    "execve": _EXECVE,
    "execveat": _EXECVEAT,
    "connect": _CONNECT,
    "sendto": _SENDTO,
    "sendmsg": _SENDMSG,
    **dict.fromkeys(VIEW_CHANGES, _VIEW),
}
"""enum ag_kind. What is not here is handed over: openat2 is rare, and its flags change what a path means."""
_RECORD = struct.Struct("=II")
_EXEC_RECORD = struct.Struct("=QQiiiIIIIIIIII")
_LINK = struct.Struct("=QiiII")
_HAS_ENVIRONMENT, _MAY_GAIN = 1, 2


class _Call(ctypes.Structure):
    _fields_ = (("arch", ctypes.c_uint32), ("number", ctypes.c_int32), ("kind", ctypes.c_uint32))


class _Config(ctypes.Structure):
    """struct ag_config"""

    _fields_ = (
        ("abi", ctypes.c_uint32),
        ("listener", ctypes.c_int32),
        ("root_pid", ctypes.c_int32),
        ("arch", ctypes.c_uint32),
        ("receive", ctypes.c_uint64),
        ("send", ctypes.c_uint64),
        ("is_valid", ctypes.c_uint64),
        ("go_on", ctypes.c_uint32),
        ("calls_count", ctypes.c_uint32),
        ("calls", ctypes.POINTER(_Call)),
        ("openat2", ctypes.c_int64),
        ("pidfd_open", ctypes.c_int64),
        ("table", ctypes.c_void_p),
        ("shared", ctypes.c_void_p),
        ("shared_size", ctypes.c_uint64),
        ("decoy_device", ctypes.c_uint64),
        ("decoy_inode", ctypes.c_uint64),
        ("queue_bytes", ctypes.c_uint64),
        ("patience_ns", ctypes.c_uint64),
    )


class NativeLoop:
    """Takes what the thread in C hands over. For one thread, but for `settle`."""

    def __init__(self, setup: SeccompSetup, handlers: Handlers) -> None:
        """Begins to answer. Raises OSError, whose `strerror` says why, where it cannot serve."""
        path = find_library("loop")
        if path is None:
            raise OSError(errno.ENOENT, "the native one was not compiled when AgentGuard was installed")
        if setup.table is None:
            raise OSError(errno.ENOENT, "the table that the native one reads could not be made")
        self._library = _load(str(path))
        self._next = ctypes.PyDLL(str(path)).ag_loop_next  # it never waits: Python's lock need not be given up for it
        self._next.argtypes, self._next.restype = [ctypes.c_void_p], ctypes.c_void_p
        self._setup = setup
        self._handlers = handlers
        self._port = 0
        self._lost = 0
        self._marks: list[threading.Event] = []
        self._lock = threading.Lock()
        """Held while the loop is closed or marked."""
        self._calls = _calls(setup.machine)
        self._config = _config(setup, self._calls)
        self._loop: int | None = self._library.ag_loop_start(ctypes.byref(self._config))
        if not self._loop:
            raise OSError(errno.EAGAIN, "the native one could not be started")

    def run(self) -> None:
        """Until the last process of the tree has gone.

        Raises:
            OSError: the listener is of no more use.
        """
        loop = self._loop
        assert loop is not None
        self._follow_port(loop)
        while self._library.ag_loop_wait(loop):
            self._follow_port(loop)
            while address := self._next(loop):
                kind, size = _RECORD.unpack(ctypes.string_at(address, _RECORD.size))
                self._take(loop, kind, ctypes.string_at(address + _RECORD.size, size))
            self._tell_lost(loop)
        self._tell_lost(loop)
        error = self._library.ag_loop_error(loop)
        self._end()
        self._library.ag_loop_close(loop)
        if error:
            raise OSError(error, "receive")

    def settle(self, timeout: float) -> bool:
        """Wait until what is in the queue has been taken."""
        done = threading.Event()
        with self._lock:
            if self._loop is None:
                return True
            self._marks.append(done)
            if not self._library.ag_loop_mark(self._loop):
                self._marks.remove(done)
                return False
        return done.wait(timeout)

    def abandon(self) -> None:
        """Nobody takes any more: let go all that is held, and all that comes."""
        loop = self._end()
        if loop is not None:
            self._library.ag_loop_abandon(loop)

    def _end(self) -> int | None:
        with self._lock:
            loop, self._loop = self._loop, None
            for mark in self._marks:
                mark.set()
            self._marks.clear()
        return loop

    def _take(self, loop: int, kind: int, data: bytes) -> None:
        if kind == _HELD:
            identity, outcome = self._handlers.look(data)
            if outcome.settled:
                self._library.ag_loop_settled(loop, identity)
            self._library.ag_loop_answer(loop, identity, *outcome[:3])
        elif kind == _EXEC:
            self._exec(data)
        else:
            self._marks.pop(0).set()

    def _exec(self, data: bytes) -> None:
        try:
            time_ns, seen = _decode(data, self._handlers)
        except (ValueError, OSError, struct.error) as error:
            self._handlers.tell_failed("execve", error, None)
        else:
            self._handlers.tell_exec(seen, time_ns)

    def _tell_lost(self, loop: int) -> None:
        lost = self._library.ag_loop_lost(loop)
        if lost > self._lost:
            self._handlers.tell_lost(lost - self._lost)
            self._lost = lost

    def _follow_port(self, loop: int) -> None:
        port = self._setup.proxy_port()
        if port != self._port:
            self._port = port
            self._library.ag_loop_set_port(loop, port)


def _decode(data: bytes, handlers: Handlers) -> tuple[int, Exec]:
    """struct ag_exec and its parts."""
    time_ns, start_time, _, pid, parent, flags, uid, gid, *sizes = _EXEC_RECORD.unpack_from(data)
    parts = []
    at = _EXEC_RECORD.size
    for size in sizes:
        parts.append(data[at : at + size])
        at += size
    program, line, cwd, arguments, variables, links = parts
    exe = os.fsdecode(program)
    started = Started(pid, parent, start_time, os.fsdecode(cwd), tuple(_links(links)))
    argv = tuple(os.fsdecode(word) for word in arguments.split(b"\0")[:-1])
    process = handlers.tree.exec_told(started, interpreter(exe, line), argv)
    environ = environment(variables.split(b"\0")[:-1]) if flags & _HAS_ENVIRONMENT else None
    return time_ns, Exec(process, environ, bool(flags & _MAY_GAIN) and privileged(exe, uid, gid))


def _links(data: bytes) -> list[Link]:
    found = []
    at = 0
    while at < len(data):
        start_time, pid, parent, size, _ = _LINK.unpack_from(data, at)
        at += _LINK.size
        found.append(Link(pid, parent, start_time, os.fsdecode(data[at : at + size])))
        at += size
    return found


def _load(path: str) -> ctypes.CDLL:
    """Raises OSError when it cannot be loaded, or is of another make than this module."""
    library = ctypes.CDLL(path)
    library.ag_loop_abi.restype = ctypes.c_uint32
    if library.ag_loop_abi() != ABI:
        raise OSError(errno.ENOEXEC, "the native one is of another version")
    library.ag_loop_start.restype = ctypes.c_void_p
    for name, result in (
        ("wait", ctypes.c_int),
        ("mark", ctypes.c_int),
        ("abandon", None),
        ("lost", ctypes.c_uint64),
        ("error", ctypes.c_int),
        ("close", None),
    ):
        function = getattr(library, f"ag_loop_{name}")
        function.argtypes, function.restype = [ctypes.c_void_p], result
    library.ag_loop_answer.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint64,
        ctypes.c_int64,
        ctypes.c_int32,
        ctypes.c_uint32,
    ]
    library.ag_loop_settled.argtypes = [ctypes.c_void_p, ctypes.c_uint64]
    library.ag_loop_settled.restype = None
    library.ag_loop_set_port.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    return library


def _calls(machine: Machine) -> ctypes.Array[_Call]:
    tables = [(machine.arch, machine.numbers)]
    if machine.arch == ARCH_X86_64:
        tables.append((ARCH_I386, I386_NUMBERS))
    entries = [
        _Call(arch, number, _KINDS.get(name, _HAND_OVER)) for arch, own in tables for name, number in own.items()
    ]
    return (_Call * len(entries))(*entries)


def _config(setup: SeccompSetup, calls: ctypes.Array[_Call]) -> _Config:
    assert setup.table is not None
    return _Config(
        abi=ABI,
        listener=setup.listener,
        root_pid=setup.root_pid,
        arch=setup.machine.arch,
        receive=IOCTL_RECV,
        send=IOCTL_SEND,
        is_valid=IOCTL_ID_VALID,
        go_on=SECCOMP_USER_NOTIF_FLAG_CONTINUE,
        calls_count=len(calls),
        calls=ctypes.cast(calls, ctypes.POINTER(_Call)),
        openat2=setup.machine.openat2,
        pidfd_open=_PIDFD_OPEN,
        table=_address(setup.table.memory),
        shared=_address(setup.shared),
        shared_size=len(setup.shared),
        decoy_device=setup.decoy[0],
        decoy_inode=setup.decoy[1],
        queue_bytes=QUEUE_BYTES,
        patience_ns=PATIENCE_NS,
    )


def _address(memory: mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))
