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

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
SIOCSIFADDR = 0x8916
IFF_UP = 1
IFREQ = struct.Struct("16sh22x")
IFREQ_ADDRESS = struct.Struct("16sHH4s16x")
"""A name and a struct sockaddr_in."""


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


def add_address(address: str) -> None:
    """Give loopback one more IPv4 address, of the outside world's, in the network of this process alone.

    Raises:
        OSError: the kernel refuses.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        name = b"lo:%d" % int(address.rpartition(".")[2])
        request = IFREQ_ADDRESS.pack(name, socket.AF_INET, 0, socket.inet_aton(address))
        fcntl.ioctl(control, SIOCSIFADDR, request)


def replace_files(texts: dict[str, Path]) -> None:
    """Have this process, which must have one thread, and its future children see other files in place of some.

    Args:
        texts: path of the machine's → file to be seen there. What is not on this machine is left out.

    Raises:
        OSError: the kernel refuses.
    """
    _unshare(CLONE_NEWNS)
    _mount("none", "/", MS_REC | MS_PRIVATE)
    for place, file in texts.items():
        if Path(place).exists():
            _mount(str(file), os.path.realpath(place), MS_BIND)


def why_not() -> str:
    """ "" when `enter` works here, else the reason. Tried in a process of its own."""
    if sys.platform != "linux":
        return "network namespaces are a Linux feature"
    program = "from harness.isolation import enter; enter()"
    root = str(Path(__file__).parents[1])
    tried = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": root}, capture_output=True, text=True, check=False
    )
    return "" if tried.returncode == 0 else "no network namespace: " + tried.stderr.strip().rpartition("\n")[2]


def _unshare(flags: int) -> None:
    # os.unshare is there from Python 3.12 on.
    _call(ctypes.CDLL(None, use_errno=True).unshare(flags))


def _mount(source: str, target: str, flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    _call(libc.mount(os.fsencode(source), os.fsencode(target), None, ctypes.c_ulong(flags), None))


def _call(status: int) -> None:
    if status != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
