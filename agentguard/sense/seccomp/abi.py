"""Numbers of the kernel's interface: seccomp(2), seccomp_unotify(2), `include/uapi/linux/seccomp.h`.

Only x86_64 has been run; aarch64 is written from its tables (asm-generic/unistd.h).
"""

from __future__ import annotations

import platform
import struct
from dataclasses import dataclass

SECCOMP_SET_MODE_FILTER = 1
SECCOMP_FILTER_FLAG_SPEC_ALLOW = 1 << 2
SECCOMP_FILTER_FLAG_NEW_LISTENER = 1 << 3
SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 1 << 5
"""5.19. Without it a storm of signals restarts a held call and it is notified again."""
SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1
SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP = 1

RET_ALLOW = 0x7FFF0000
RET_USER_NOTIF = 0x7FC00000
RET_ERRNO = 0x00050000

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
PR_SET_CHILD_SUBREAPER = 36
PR_SET_DUMPABLE = 4


def _ioc(direction: int, number: int, size: int) -> int:
    return direction << 30 | size << 16 | ord("!") << 8 | number


IOCTL_RECV = _ioc(3, 0, 80)
IOCTL_SEND = _ioc(3, 1, 24)
IOCTL_ID_VALID = _ioc(1, 2, 8)
IOCTL_SET_FLAGS = _ioc(1, 4, 8)
"""6.6. The flag is passed by value."""

NOTIFICATION = struct.Struct("=QIIiIQQQQQQQ")
"""struct seccomp_notif: id, pid (a thread id), flags, then seccomp_data: nr, arch, instruction pointer, 6 arguments."""
NOTIFICATION_SIZE = 80
RESPONSE = struct.Struct("=QqiI")
"""struct seccomp_notif_resp: id, value, error (negative errno), flags."""
ID = struct.Struct("=Q")

AT_FDCWD = -100
O_PATH = 0o10000000

OPEN_HOW = struct.Struct("=QQQ")
"""struct open_how of openat2(2): flags, mode, resolve."""
RESOLVE_NO_MAGICLINKS = 0x02
"""ELOOP where the path crosses a link of /proc that is a file itself: cwd, root, exe, fd/N."""
RESOLVE_NO_SYMLINKS = 0x04
"""ELOOP where it crosses any link."""
RESOLVE_IN_ROOT = 0x10
"""The directory is the root of the path, of `..` and of absolute links."""

ARCH_X86_64 = 0xC000003E
ARCH_AARCH64 = 0xC00000B7
ARCH_I386 = 0x40000003
X32_BIT = 0x40000000


@dataclass(frozen=True, slots=True)
class Machine:
    """What differs between architectures."""

    arch: int
    numbers: dict[str, int]
    o_directory: int
    seccomp: int
    openat2: int = 437


MACHINES = {
    "x86_64": Machine(
        arch=ARCH_X86_64,
        numbers={
            "open": 2,
            "openat": 257,
            "openat2": 437,
            "open_by_handle_at": 304,
            "execve": 59,
            "execveat": 322,
            "connect": 42,
            "sendto": 44,
            "sendmsg": 46,
            "sendmmsg": 307,
            "io_uring_setup": 425,
            "chroot": 161,
            "pivot_root": 155,
            "unshare": 272,
            "setns": 308,
        },
        o_directory=0o200000,
        seccomp=317,
    ),
    "aarch64": Machine(
        arch=ARCH_AARCH64,
        numbers={
            "openat": 56,
            "openat2": 437,
            "open_by_handle_at": 265,
            "execve": 221,
            "execveat": 281,
            "connect": 203,
            "sendto": 206,
            "sendmsg": 211,
            "sendmmsg": 269,
            "io_uring_setup": 425,
            "chroot": 51,
            "pivot_root": 41,
            "unshare": 97,
            "setns": 268,
        },
        o_directory=0o40000,
        seccomp=277,
    ),
}

I386_NUMBERS = {
    "open": 5,
    "openat": 295,
    "openat2": 437,
    "open_by_handle_at": 342,
    "execve": 11,
    "execveat": 358,
    "connect": 362,
    "sendto": 369,
    "sendmsg": 370,
    "sendmmsg": 345,
    "socketcall": 102,
    "io_uring_setup": 425,
}
"""32-bit calls of a 64-bit kernel (int 0x80): asm/unistd_32.h."""

VIEW_CHANGES = frozenset({"chroot", "pivot_root", "unshare", "setns"})
"""Calls after which the same path may mean another file to the caller."""


def machine() -> Machine | None:
    """This machine's table; None where we have none."""
    return MACHINES.get(platform.machine())
