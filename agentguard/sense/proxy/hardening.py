"""The child holds every secret of the session: nobody may look into it, and it leaves no core behind."""

from __future__ import annotations

import contextlib
import ctypes
import resource
import signal
import sys

_PR_SET_DUMPABLE = 4
_DESCRIPTORS = 65_536


def harden() -> None:
    """Before the first secret arrives. Another process of this user can then neither trace nor read this one."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    _raise_descriptors()
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):  # the terminal's signals belong to the agent
        signal.signal(number, signal.SIG_IGN)


def _raise_descriptors() -> None:
    """Each connection takes two; the usual limit of 1024 would cut a busy session off."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
