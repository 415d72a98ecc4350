"""What leaves the tree without the proxy: connections, and messages that name their receiver.

A connected socket's sends are not held, but for those with which resolvers ask for names (`bpf.py`).
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from agentguard.model.observation import ConnectObservation, GapType, LookupObservation
from agentguard.model.process import Confidence, ProcessSnapshot
from agentguard.sense.interface import Emit
from agentguard.sense.process_tree import ProcessTree
from agentguard.sense.seccomp.addresses import Target, broker, connected_to, internet
from agentguard.sense.seccomp.call import GO_ON, SETTLED, Call, Outcome, done
from agentguard.sense.seccomp.capture import Capture
from agentguard.sense.seccomp.memory import CallerMemory
from agentguard.sense.seccomp.outgoing import Message, Outgoing, outgoing
from agentguard.sense.seccomp.sockets import duplicate, transport

_MSG_FASTOPEN = 0x20000000
_SYS_CONNECT = 3
"""linux/net.h"""
_MOST_FIRST_BYTES = 65536
"""Of a message that opens a connection; a call may send less than it was given."""
_MAX_TOLD = 4096
_NAME_PORTS = frozenset({53, 5353, 5355})
"""DNS, mDNS, LLMNR: one format."""
_LONGEST_LOOKUP = 4096
"""Bytes; a name has 255 at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressSetup:
    """What it must be given."""

    sensor: str
    """Its name."""
    memory: CallerMemory
    tree: ProcessTree
    capture: Capture | None
    """Takes connections to the proxy; None: they are told."""
    proxy_port: Callable[[], int]
    """0 while there is no proxy. A connection to it is the expected way out."""
    still_held: Callable[[Call], bool]
    """Whether the caller is still blocked in this call."""
    emit: Emit
    tell_gap: Callable[[GapType, Call, str], None]
    clock: Callable[[], int]
    """ns since the epoch."""


class Egress:
    """For one thread: the sensor's."""

    def __init__(self, setup: EgressSetup) -> None:
        self._setup = setup
        self._memory = setup.memory
        self._tree = setup.tree
        self._capture = setup.capture
        self._brokers: set[str] = set()
        self._told: set[tuple[int, str, int]] = set()

    def connect(self, call: Call) -> Outcome:
        """Told, or taken to the proxy."""
        located = connected_to(self._memory, call.tid, call.name, call.arguments, call.wide)
        target = internet(located[1]) if located else None
        if located is None or target is None:
            self._see_broker(call, located[1] if located else b"")
            return GO_ON
        if self._is_proxy(target):
            return GO_ON
        process = self._tree.snapshot(call.tid)
        caller = duplicate(call.tid, located[0])
        if caller is None:
            self._tell(process, target, "tcp")
            return GO_ON
        with caller:
            if transport(caller) == "udp":
                return GO_ON  # nothing is sent yet; getaddrinfo makes several, to sort addresses
            return self._connection(call, caller, target, process)

    def _connection(self, call: Call, caller: socket.socket, target: Target, process: ProcessSnapshot) -> Outcome:
        outcome = self._captured(call, caller, target, process)
        if outcome is None:
            self._tell(process, target, "tcp")
        return outcome or GO_ON

    def _captured(self, call: Call, caller: socket.socket, target: Target, process: ProcessSnapshot) -> Outcome | None:
        """None where it was left alone: a socket of some other kind does not know what it is asked."""
        if self._capture is None:
            return None
        try:
            return self._capture.take(caller, target, process, lambda: self._setup.still_held(call))
        except OSError:
            return None

    def socketcall(self, call: Call) -> Outcome:
        """The door of 32-bit programs to all of them."""
        return self.connect(call) if call.arguments[0] == _SYS_CONNECT else self.send(call)

    def send(self, call: Call) -> Outcome:
        """sendto, sendmsg, sendmmsg."""
        sent = outgoing(self._memory, call.tid, call.name, call.arguments, call.wide)
        if sent is None or not sent.messages:
            return GO_ON
        caller = duplicate(call.tid, sent.descriptor)
        if caller is None:
            return GO_ON
        with caller:
            if transport(caller) == "tcp":
                return self._first_bytes(call, caller, sent) if sent.flags & _MSG_FASTOPEN else GO_ON
            settled = [self._datagram(call, caller, message) for message in sent.messages]
        return SETTLED if all(settled) else GO_ON

    def _first_bytes(self, call: Call, caller: socket.socket, sent: Outgoing) -> Outcome:
        """A message that opens its connection (MSG_FASTOPEN)."""
        message = sent.messages[0]
        target = internet(message.sockaddr)
        if target is None or self._is_proxy(target):
            return GO_ON
        payload = message.payload(self._memory, call.tid, _MOST_FIRST_BYTES)
        outcome = self._connection(call, caller, target, self._tree.snapshot(call.tid))
        if outcome == GO_ON or not payload:
            return outcome
        try:
            count = caller.send(payload, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except OSError:
            return outcome  # not connected yet, or refused: as the call would say
        return done(count)

    def _datagram(self, call: Call, caller: socket.socket, message: Message) -> bool:
        """Whether it is known where it goes, and what it says does not matter."""
        target = internet(message.sockaddr) if message.sockaddr else _peer(caller)
        if target is None:
            return False
        process = self._tree.snapshot(call.tid)
        if target.port in _NAME_PORTS and (payload := message.payload(self._memory, call.tid, _LONGEST_LOOKUP)):
            self._tell_lookup(process, target, payload)
            return False
        told = (process.pid, target.address, target.port)
        if told not in self._told:
            if len(self._told) >= _MAX_TOLD:
                self._told.clear()
            self._told.add(told)
            self._tell(process, target, "udp")
        return True

    def _is_proxy(self, target: Target) -> bool:
        port = self._setup.proxy_port()
        return bool(port) and target.loopback and target.port == port

    def _tell(self, process: ProcessSnapshot, target: Target, kind: str) -> None:
        self._setup.emit(
            ConnectObservation(
                time_ns=self._setup.clock(),
                sensor=self._setup.sensor,
                process=process,
                confidence=Confidence.EXACT_HELD,
                address=target.address,
                port=target.port,
                transport=kind,
            )
        )

    def _tell_lookup(self, process: ProcessSnapshot, target: Target, payload: bytes) -> None:
        self._setup.emit(
            LookupObservation(
                time_ns=self._setup.clock(),
                sensor=self._setup.sensor,
                process=process,
                confidence=Confidence.EXACT_HELD,
                address=target.address,
                port=target.port,
                message=payload,
            )
        )

    def _see_broker(self, call: Call, sockaddr: bytes) -> None:
        path = broker(sockaddr)
        if path and path not in self._brokers:
            self._brokers.add(path)
            self._setup.tell_gap(
                GapType.OUTSIDE_TREE, call, f"work was handed to the program behind {path}, outside the session"
            )


def _peer(caller: socket.socket) -> Target | None:
    """Where a connected socket sends to."""
    if caller.family not in {socket.AF_INET, socket.AF_INET6}:
        return None
    try:
        host, port = caller.getpeername()[:2]
    except OSError:
        return None
    family = caller.family
    packed = socket.inet_pton(family, host.partition("%")[0])
    head = int(family).to_bytes(2, "little") + int(port).to_bytes(2, "big")
    return internet(head + (packed if family == socket.AF_INET else bytes(4) + packed))
