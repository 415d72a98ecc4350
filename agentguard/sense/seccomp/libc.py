"""The few calls Python does not offer, through ctypes. Light: the front loads it too."""

from __future__ import annotations

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
libc.ioctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p]


def prctl(option: int, value: int) -> bool:
    """True when the kernel took it; False where there is no such call (macOS)."""
    return hasattr(libc, "prctl") and libc.prctl(option, value, 0, 0, 0) == 0


def ioctl(descriptor: int, request: int, argument: int) -> int:
    """0, or the errno. `argument` is an address, or a value where the request takes one."""
    return 0 if libc.ioctl(descriptor, request, argument) >= 0 else ctypes.get_errno()


def raise_errno(what: str) -> None:
    """Raise OSError of the errno that the last call left."""
    number = ctypes.get_errno()
    raise OSError(number, f"{what}: {os.strerror(number)}")
