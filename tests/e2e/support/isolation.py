"""A network that holds nothing but loopback: no agent under test can phone home, whatever it tries."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
IFF_UP = 1
IFREQ = struct.Struct("16sh22x")


def enter() -> None:
    """Move this process, which must have one thread, and its future children into such a network.

    Root needs only the network namespace; another user gets a user namespace with it, in which it stays itself.

    Raises:
        OSError: the kernel, or the distribution's policy, refuses.
    """
    uid, gid = os.getuid(), os.getgid()
    _unshare(CLONE_NEWNET if uid == 0 else CLONE_NEWNET | CLONE_NEWUSER)
    if uid != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        name = b"lo"
        _, flags = IFREQ.unpack(fcntl.ioctl(control, SIOCGIFFLAGS, IFREQ.pack(name, 0)))
        fcntl.ioctl(control, SIOCSIFFLAGS, IFREQ.pack(name, flags | IFF_UP))


def why_not() -> str:
    """ "" when `enter` works here, else the reason. Tried in a process of its own."""
    if sys.platform != "linux":
        return "network namespaces are a Linux feature"
    program = "from support.isolation import enter; enter()"
    root = str(Path(__file__).parents[1])
    tried = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": root}, capture_output=True, text=True, check=False
    )
    return "" if tried.returncode == 0 else "no network namespace: " + tried.stderr.strip().rpartition("\n")[2]


def _unshare(flags: int) -> None:
    # os.unshare is there from Python 3.12 on.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
