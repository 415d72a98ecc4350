"""Where a held connect, sendto or socketcall goes."""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from agentguard.sense.seccomp.memory import CallerMemory

MAX_SOCKADDR = 128
"""Bytes; sizeof(struct sockaddr_storage)."""
_BROKERS = frozenset({"docker.sock", "podman.sock", "containerd.sock", "crio.sock", "buildkitd.sock"})


@dataclass(frozen=True, slots=True)
class Target:
    """An Internet destination."""

    address: str
    """An IPv4 address as such, also where the caller wrote it as an IPv6 one."""
    port: int
    loopback: bool
    """This machine, named as such. (It has other addresses too.)"""
    scoped: bool = False
    """It means something on one interface only."""


def internet(sockaddr: bytes) -> Target | None:
    """None for anything that is not an Internet address with a port."""
    if len(sockaddr) < 8:
        return None
    (family,) = struct.unpack_from("=H", sockaddr)
    (port,) = struct.unpack_from("!H", sockaddr, 2)
    if not port:
        return None
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    if family == socket.AF_INET:
        address = ipaddress.IPv4Address(sockaddr[4:8])
    elif family == socket.AF_INET6 and len(sockaddr) >= 24:
        six = ipaddress.IPv6Address(sockaddr[8:24])
        address = six.ipv4_mapped or six
    else:
        return None
    scoped = address.version == 6 and address.is_link_local
    return Target(str(address), port, address.is_loopback or address.is_unspecified, scoped)


def broker(sockaddr: bytes) -> str:
    """The path of a socket behind which someone else does the work; "" for any other."""
    if len(sockaddr) < 3 or struct.unpack_from("=H", sockaddr)[0] != socket.AF_UNIX:
        return ""
    path = os.fsdecode(sockaddr[2:].partition(b"\0")[0])
    return path if path.rpartition("/")[2] in _BROKERS or "/tmux-" in path else ""


def connected_to(
    memory: CallerMemory, tid: int, name: str, arguments: Sequence[int], wide: bool
) -> tuple[int, bytes] | None:
    """The descriptor of a connect, and the address it names, as it lies in memory."""
    if name == "socketcall":  # (SYS_CONNECT, {fd, address, length})
        block = memory.read(tid, arguments[1], 12)
        if wide or len(block) < 12:
            return None
        arguments = struct.unpack("=III", block)
    return arguments[0], memory.read(tid, arguments[1], min(arguments[2], MAX_SOCKADDR))
