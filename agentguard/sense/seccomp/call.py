"""A held call, and what its caller is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agentguard.sense.seccomp.abi import SECCOMP_USER_NOTIF_FLAG_CONTINUE


class Call(NamedTuple):
    """One held system call. (A named tuple: one is made at every open, and a frozen dataclass takes 1 µs longer.)"""

    identity: int
    tid: int
    name: str
    arguments: Sequence[int]
    wide: bool
    """False for a 32-bit caller: its pointers have 4 bytes."""


class Outcome(NamedTuple):
    """As `struct seccomp_notif_resp` has it."""

    value: int
    """What the call returns where the kernel does not make it."""
    error: int
    """Negative errno, or 0."""
    flags: int
    settled: bool = False
    """The same message from the same socket, to the same receiver, needs no second look in the next second."""


GO_ON = Outcome(0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE)
"""The kernel makes the call."""

SETTLED = GO_ON._replace(settled=True)


def done(value: int) -> Outcome:
    """It was made for the caller, and returned this."""
    return Outcome(value, 0, 0)


def failed(errno: int) -> Outcome:
    """It was made for the caller, and failed."""
    return Outcome(0, -errno, 0)
