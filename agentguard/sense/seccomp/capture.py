"""Taking a TCP connection to the proxy although its program knows of none.

The caller is held in connect(). We have its very socket and connect it to the proxy's transparent listener, tell the
proxy where it wanted to go, and let the call return what it would have: 0, or EINPROGRESS. Nothing of the socket but
its peer is changed.

What cannot be reached must look so: a program that waits for a server would think it is there. On this machine the
kernel is asked whether anybody listens; elsewhere, whether there is a route. A server elsewhere that refuses is found
out too late: the program is connected, and then cut off.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
import struct
from collections.abc import Callable
from typing import Protocol

from agentguard.model.process import ProcessSnapshot
from agentguard.sense.proxy.sockdiag import SocketTable
from agentguard.sense.seccomp.addresses import Target
from agentguard.sense.seccomp.call import GO_ON, Outcome, done, failed
from agentguard.sense.seccomp.sockets import is_tcp, network_of

_UNREADABLE_PORTS = frozenset({22})
"""ssh: nothing in it could be read, and policies know it by its own kind of gap."""
_TCP_ESTABLISHED, _TCP_CLOSE = 1, 7
"""tcpi_state, netinet/tcp.h."""
_PATIENCE = struct.pack("@ll", 1, 0)
"""struct timeval: how long a blocking socket may wait for the proxy to take it. The whole tree waits with it."""


class WayIn(Protocol):
    """The proxy's transparent listener. Safe to use from the sensor's thread."""

    def capture_address(self, family: int) -> tuple[str, int] | None:
        """Where a socket of this family is taken to; None while the proxy does not serve there."""

    def announce(self, client: tuple[str, int], target: tuple[str, int], process: ProcessSnapshot) -> bool:
        """Tell whose connection comes from `client`, and where it wanted to go. False: the proxy is not there."""

    def spares(self, program: str, target: tuple[str, int]) -> bool:
        """Whether this program has refused the proxy's certificate there: it would never get through."""


class Capture:
    """For one thread: the sensor's."""

    def __init__(self, way_in: WayIn) -> None:
        self._way_in = way_in
        self._sockets = SocketTable()
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as own:
            self._network = network_of(own)

    def take(
        self, caller: socket.socket, target: Target, process: ProcessSnapshot, still_held: Callable[[], bool]
    ) -> Outcome | None:
        """Connect the caller's socket to the proxy in its stead.

        Returns:
            What its call returns; None when it cannot be captured, and nothing was done to it.
        """
        goal = (_reachable_address(target), target.port)
        if target.scoped or target.port in _UNREADABLE_PORTS or not is_tcp(caller):
            return None
        state = caller.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        if state == _TCP_ESTABLISHED and self._is_ours(caller):
            return GO_ON  # it asks how its connection is getting on
        if state != _TCP_CLOSE or not self._is_at_home(caller) or self._way_in.spares(process.exe, goal):
            return None
        door = self._door(caller, target)
        if door is None or (target.loopback and target.port == door[1]):
            return None
        refusal = self._refusal(goal, here=target.loopback)
        if not still_held():
            return GO_ON
        return failed(refusal) if refusal else self._connect(caller, door, goal, process)

    def _connect(
        self, caller: socket.socket, door: tuple[str, int], goal: tuple[str, int], process: ProcessSnapshot
    ) -> Outcome | None:
        try:
            with _bounded(caller):
                caller.connect(door)
            outcome = done(0)
        except BlockingIOError:
            outcome = failed(errno.EINPROGRESS)
        except OSError:
            return None
        host, port = caller.getsockname()[:2]
        self._way_in.announce((_plain(host), port), goal, process)
        return outcome

    def _is_ours(self, caller: socket.socket) -> bool:
        address = self._way_in.capture_address(caller.family)
        return address is not None and caller.getpeername()[1] == address[1]

    def _is_at_home(self, caller: socket.socket) -> bool:
        """In our network, and free to use loopback."""
        bound_to = caller.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0")
        return bound_to in {b"", b"lo"} and network_of(caller) == self._network

    def _door(self, caller: socket.socket, target: Target) -> tuple[str, int] | None:
        """In the caller's own kind of address: a socket of IPv6 may be one of IPv6 only."""
        if caller.family == socket.AF_INET:
            return self._way_in.capture_address(socket.AF_INET)
        if ":" in target.address and (door := self._way_in.capture_address(socket.AF_INET6)):
            return door
        four = self._way_in.capture_address(socket.AF_INET)
        if four is None or caller.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
            return None
        return f"::ffff:{four[0]}", four[1]

    def _refusal(self, goal: tuple[str, int], *, here: bool) -> int:
        """The errno with which the kernel would answer at once; 0 when it would try."""
        family = socket.AF_INET6 if ":" in goal[0] else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:  # it looks up the route, and sends nothing
            try:
                probe.connect(goal)
            except OSError as error:
                return error.errno or errno.ENETUNREACH
            own: str = probe.getsockname()[0]
        if here or own == goal[0]:
            return 0 if self._sockets.listens(goal) else errno.ECONNREFUSED
        return 0


def _reachable_address(target: Target) -> str:
    """A connect to the unspecified address goes to loopback."""
    address = ipaddress.ip_address(target.address)
    if not address.is_unspecified:
        return target.address
    return "127.0.0.1" if address.version == 4 else "::1"


def _plain(host: str) -> str:
    address = ipaddress.ip_address(host.partition("%")[0])
    return str(getattr(address, "ipv4_mapped", None) or address)


class _bounded(contextlib.AbstractContextManager[None]):  # noqa: N801 - used as a word of the with statement
    """A blocking socket waits a second at most; afterwards as long as its owner said."""

    def __init__(self, caller: socket.socket) -> None:
        self._caller = caller
        self._waits = os.get_blocking(caller.fileno())
        self._before = caller.getsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, len(_PATIENCE))

    def __enter__(self) -> None:
        if self._waits:
            self._caller.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _PATIENCE)

    def __exit__(self, *_: object) -> None:
        if self._waits:
            self._caller.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, self._before)
