"""Where a held connect() or sendto() goes: the socket address in the caller's memory, and its socket's kind."""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from agentguard.sense.procfs import thread_group
from agentguard.sense.seccomp.libc import libc
from agentguard.sense.seccomp.memory import CallerMemory

_MAX_SOCKADDR = 128
_DISCARD_PORTS = frozenset({0})
_BROKERS = frozenset({"docker.sock", "podman.sock", "containerd.sock", "crio.sock", "buildkitd.sock"})
_PIDFD_GETFD = 438
"""pidfd_getfd(2), 5.6: the same number on every architecture."""


@dataclass(frozen=True, slots=True)
class Target:
    """An Internet destination."""

    address: str
    port: int
    transport: str
    """tcp, udp"""
    loopback: bool


def destination(memory: CallerMemory, tid: int, name: str, arguments: Sequence[int], wide: bool) -> Target | None:
    """None for anything that is not a connection or a datagram to an Internet address.

    A UDP connect() sends nothing: getaddrinfo makes several to sort addresses. Only its sends count, and a
    datagram that names its receiver is one.
    """
    located = _locate(memory, tid, name, arguments, wide)
    if located is None:
        return None
    descriptor, pointer, length = located
    target = _parse(memory.read(tid, pointer, min(length, _MAX_SOCKADDR)))
    if target is None or target[1] in _DISCARD_PORTS:
        return None
    transport = _transport(tid, descriptor)
    if transport == "udp" and name != "sendto":
        return None
    address = ipaddress.ip_address(target[0])
    return Target(str(address), target[1], transport, address.is_loopback or address.is_unspecified)


def broker(memory: CallerMemory, tid: int, name: str, arguments: Sequence[int], wide: bool) -> str:
    """The path of a socket behind which someone else does the work; "" for any other."""
    located = _locate(memory, tid, name, arguments, wide)
    data = memory.read(tid, located[1], min(located[2], _MAX_SOCKADDR)) if located else b""
    if len(data) < 3 or struct.unpack_from("=H", data)[0] != socket.AF_UNIX:
        return ""
    path = os.fsdecode(data[2:].partition(b"\0")[0])
    return path if path.rpartition("/")[2] in _BROKERS or "/tmux-" in path else ""


def _locate(
    memory: CallerMemory, tid: int, name: str, arguments: Sequence[int], wide: bool
) -> tuple[int, int, int] | None:
    if name == "connect":
        return arguments[0], arguments[1], arguments[2]
    if name == "sendto":
        return arguments[0], arguments[4], arguments[5]
    block = memory.read(tid, arguments[1], 12)  # socketcall(SYS_CONNECT, {fd, address, length})
    if wide or len(block) < 12:
        return None
    return struct.unpack("=III", block)


def _parse(data: bytes) -> tuple[str, int] | None:
    if len(data) < 8:
        return None
    (family,) = struct.unpack_from("=H", data)
    (port,) = struct.unpack_from("!H", data, 2)
    if family == socket.AF_INET:
        return str(ipaddress.IPv4Address(data[4:8])), port
    if family == socket.AF_INET6 and len(data) >= 24:
        address = ipaddress.IPv6Address(data[8:24])
        return str(address.ipv4_mapped or address), port
    return None


def _transport(tid: int, descriptor: int) -> str:
    """Ask a duplicate of the caller's socket; tcp when it cannot be had, which hides nothing."""
    try:
        process = os.pidfd_open(thread_group(tid))
    except OSError:
        return "tcp"
    try:
        duplicate = int(libc.syscall(_PIDFD_GETFD, process, descriptor, 0))
    finally:
        os.close(process)
    if duplicate < 0:
        return "tcp"
    with socket.socket(fileno=duplicate) as caller:
        return "udp" if caller.type & 0xF == socket.SOCK_DGRAM else "tcp"
