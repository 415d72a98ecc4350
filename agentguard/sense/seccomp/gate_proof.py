"""Tries the session's gate: runs in the agent's process between fork and exec, under the filter."""

from __future__ import annotations

import ctypes
import os
import resource


def prove_gate(library: str, ordinary: str, decoy: str) -> bool:
    """Open an ordinary file through the gate, which must not be held, and then the decoy, which must.

    True when the ordinary file passed. Whether the decoy was held is for the sensor to say, which only then is asked:
    it is not opened when the first failed.
    """
    try:
        gate = ctypes.CDLL(library)
    except OSError:
        return False
    waits = _waits()
    if not _opened(gate, ordinary) or _waits() != waits:
        return False
    return _opened(gate, decoy)


def _opened(gate: ctypes.CDLL, path: str) -> bool:
    descriptor = int(gate.open(os.fsencode(path), os.O_RDONLY | os.O_CLOEXEC))
    if descriptor < 0:
        return False
    os.close(descriptor)
    return True


def _waits() -> int:
    """How often this thread had to wait: a call that is held waits for its answer."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
