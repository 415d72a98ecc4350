"""Putting the filter on: runs in the agent's process between fork and exec, so it stays small and imports little."""

from __future__ import annotations

import ctypes
import errno
import os
import queue
import threading
from collections.abc import Callable

from agentguard.sense.seccomp.abi import (
    PR_SET_NO_NEW_PRIVS,
    SECCOMP_FILTER_FLAG_NEW_LISTENER,
    SECCOMP_FILTER_FLAG_SPEC_ALLOW,
    SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
    SECCOMP_SET_MODE_FILTER,
    machine,
)
from agentguard.sense.seccomp.bpf import build_filter
from agentguard.sense.seccomp.libc import libc, prctl, raise_errno

_FLAGS = (
    SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
    SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW,
    SECCOMP_FILTER_FLAG_NEW_LISTENER,
)
"""Best first; an older kernel answers EINVAL to a flag it does not know."""


class _FilterProgram(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def install_filter(gate: int | None, hand_over: Callable[[int], object]) -> None:
    """Put this process, and all it will ever start, under the filter, and have the listener handed over and closed.

    `hand_over` runs on a thread that is not under the filter: what it sends would be held until somebody answers.
    `gate` is the address from which an openat passes (`build_filter`).

    Raises:
        OSError: EBUSY under another listener; ENOSYS or EINVAL on a kernel without user notification (< 5.0).
    """
    made: queue.SimpleQueue[int] = queue.SimpleQueue()

    def give() -> None:
        listener = made.get()
        if listener >= 0:
            hand_over(listener)
            os.close(listener)

    outside = threading.Thread(target=give, name="hand-over")
    outside.start()
    listener = -1
    try:
        listener = _install(gate)
    finally:
        made.put(listener)
        outside.join()


def _install(gate: int | None) -> int:
    """The listener's descriptor. The filter is this thread's, and that of all that it starts."""
    here = machine()
    if here is None:
        raise OSError(errno.ENOSYS, "no seccomp table for this architecture")
    if not prctl(PR_SET_NO_NEW_PRIVS, 1):
        raise_errno("no_new_privs")
    code = build_filter(here, gate)
    memory = ctypes.create_string_buffer(code, len(code))
    program = _FilterProgram(len(code) // 8, ctypes.addressof(memory))
    for flags in _FLAGS:
        descriptor = int(libc.syscall(here.seccomp, SECCOMP_SET_MODE_FILTER, flags, ctypes.byref(program)))
        if descriptor >= 0:
            return descriptor
        if ctypes.get_errno() != errno.EINVAL:
            break
    raise_errno("seccomp")
    raise AssertionError("unreachable")


def why_unavailable(error: OSError) -> str:
    """In words for `doctor`, the banner and the report."""
    if error.errno == errno.EBUSY:
        return "this process already runs under another seccomp listener (a container or another guard)"
    if error.errno in {errno.ENOSYS, errno.EINVAL}:
        return "this kernel has no seccomp user notification (Linux 5.5 or newer has)"
    if error.errno in {errno.EPERM, errno.EACCES}:
        return "the system forbids seccomp filters here"
    return f"seccomp answered {errno.errorcode.get(error.errno or 0, 'an unknown error')}"
