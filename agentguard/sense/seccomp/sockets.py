"""A held caller's own socket, as a duplicate: what it is, and what can be done in its stead.

pidfd_getfd(2), Linux 5.6. Only an ancestor may take one under Yama's ptrace_scope=1, which the supervisor is.
"""

from __future__ import annotations

import os
import socket

from agentguard.sense.procfs import thread_group
from agentguard.sense.seccomp.libc import libc

_PIDFD_GETFD = 438
"""The same number on every architecture."""
_PIDFD_THREAD = os.O_EXCL
"""Linux 6.9. A thread may have a table of descriptors of its own (CLONE_FILES not set)."""
_SO_PROTOCOL = 38
_SO_NETNS_COOKIE = 71
"""5.14. asm-generic/socket.h, as x86 and arm64 have it."""
_IPPROTO_MPTCP = 262


def duplicate(tid: int, descriptor: int) -> socket.socket | None:
    """None when it cannot be had, or is no socket. Close it: its options are the caller's own all the same.

    Never set a timeout on it: Python would make the caller's socket non-blocking.
    """
    try:
        process = _open_process(tid)
    except OSError:
        return None
    try:
        number = int(libc.syscall(_PIDFD_GETFD, process, descriptor & 0xFFFFFFFF, 0))
    finally:
        os.close(process)
    if number < 0:
        return None
    try:
        return socket.socket(fileno=number)
    except OSError:
        os.close(number)
        return None


def _open_process(tid: int) -> int:
    try:
        return os.pidfd_open(tid, _PIDFD_THREAD)
    except OSError:
        return os.pidfd_open(thread_group(tid))


def transport(caller: socket.socket) -> str:
    """tcp, udp; tcp for what is neither, which hides nothing."""
    return "udp" if caller.type & 0xF == socket.SOCK_DGRAM else "tcp"


def is_tcp(caller: socket.socket) -> bool:
    """Whether the proxy can speak to it."""
    if caller.family not in {socket.AF_INET, socket.AF_INET6} or caller.type & 0xF != socket.SOCK_STREAM:
        return False
    return caller.getsockopt(socket.SOL_SOCKET, _SO_PROTOCOL) in {socket.IPPROTO_TCP, _IPPROTO_MPTCP}


def network_of(any_socket: socket.socket) -> int:
    """A number for its network namespace; 0 where the kernel does not say."""
    try:
        return int.from_bytes(any_socket.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, 8), "little")
    except OSError:
        return 0
