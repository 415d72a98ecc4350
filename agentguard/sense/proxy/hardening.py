"""The child holds every secret of the session: nobody may look into it, and it leaves no core behind."""

from __future__ import annotations

import contextlib
import resource
import signal

from agentguard.sense.secrecy import hide_memory

_DESCRIPTORS = 65_536


def harden() -> None:
    """Before the first secret arrives. Another process of this user can then neither trace nor read this one."""
    hide_memory()
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
