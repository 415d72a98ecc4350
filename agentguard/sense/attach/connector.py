"""The kernel's process connector: told of each fork, exec and exit of the machine as it happens.

Linux, CONFIG_PROC_EVENTS, in the initial pid and user namespaces; without privilege since kernel 6.6 (before it,
CAP_NET_ADMIN). Numbers and layouts are those of linux/cn_proc.h and linux/connector.h.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
from typing import NamedTuple

from agentguard.errors import SensorError

_NETLINK_CONNECTOR = 11
_CN_IDX_PROC = 1
_CN_VAL_PROC = 1
_PROC_CN_MCAST_LISTEN = 1
_NLMSG_DONE = 3
_NETLINK_HEADER = struct.Struct("=IHHII")
_CONNECTOR_HEADER = struct.Struct("=IIIIHH")
_LISTEN = struct.Struct("=I")
_EVENT = struct.Struct("=IIQiiii")
"""what, cpu, ns since boot, and the first four numbers of what happened."""
_EVENT_AT = _NETLINK_HEADER.size + _CONNECTOR_HEADER.size
_ACKNOWLEDGED = 0
FORK = 1
EXEC = 2
EXIT = 0x80000000
_BUFFER_BYTES = 8 << 20
_ANSWER_SECONDS = 0.5
_TOLD = frozenset({FORK, EXEC, EXIT})


class ProcessEvent(NamedTuple):
    """One fork, exec or exit of a whole process; those of single threads are left out, but for our own."""

    what: int
    """FORK, EXEC or EXIT."""
    pid: int
    """The new, changed or ended process."""
    parent_pid: int
    """Of a fork; 0 otherwise."""


class Connector:
    """An open subscription. For one thread at a time."""

    def __init__(self) -> None:
        """Raises SensorError, with the reason, where the kernel does not tell us."""
        self._own = os.getpid()
        self.heard_ourselves = False
        """A thread that we started was told: the proof that it works."""
        try:
            self._socket = socket.socket(
                socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, _NETLINK_CONNECTOR
            )
        except (OSError, AttributeError):
            raise SensorError("this system has no process connector") from None
        try:
            self._subscribe()
        except OSError as error:
            self._socket.close()
            raise SensorError(f"the process connector refuses us: {error.strerror}") from None
        except SensorError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def read(self) -> list[ProcessEvent]:
        """What has happened since; [] when nothing has.

        Raises:
            BlockingIOError: never; OSError with ENOBUFS when the kernel dropped events.
        """
        events: list[ProcessEvent] = []
        while True:
            try:
                data, (sender, _) = self._socket.recvfrom(1 << 16)
            except BlockingIOError:
                return events
            if sender != 0:
                continue  # Another process wrote this, not the kernel.
            event = self._parse(data)
            if event is not None:
                events.append(event)

    def _subscribe(self) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        self._socket.bind((0, _CN_IDX_PROC))
        body = _CONNECTOR_HEADER.pack(_CN_IDX_PROC, _CN_VAL_PROC, 0, 0, _LISTEN.size, 0)
        body += _LISTEN.pack(_PROC_CN_MCAST_LISTEN)
        header = _NETLINK_HEADER.pack(_NETLINK_HEADER.size + len(body), _NLMSG_DONE, 0, 0, 0)
        self._socket.send(header + body)
        if not select.select([self._socket], [], [], _ANSWER_SECONDS)[0]:
            raise SensorError("the process connector does not answer (inside a container?)")
        data = self._socket.recv(1 << 16)
        what, _, _, refused, *_ = _EVENT.unpack_from(data, _EVENT_AT)
        if what == _ACKNOWLEDGED and refused:
            raise OSError(refused, os.strerror(refused))

    def _parse(self, data: bytes) -> ProcessEvent | None:
        if len(data) < _EVENT_AT + _EVENT.size:
            return None
        what, _, _, first, second, third, fourth = _EVENT.unpack_from(data, _EVENT_AT)
        if what == FORK:  # parent's thread and process, child's thread and process
            if fourth == self._own:
                self.heard_ourselves = True
            return ProcessEvent(FORK, fourth, second) if third == fourth else None
        if what not in _TOLD or (what == EXIT and first != second):
            return None
        return ProcessEvent(what, second, 0)


def was_lost(error: OSError) -> bool:
    """Whether the kernel says that it dropped events."""
    return error.errno == errno.ENOBUFS
