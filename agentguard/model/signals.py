"""The names of signals, the real-time ones too: Python's own table does not know most of those."""

from __future__ import annotations

import signal


def signal_name(number: int) -> str:
    """`SIGTERM` or `SIGRTMIN+6`; `signal 33` where the C library keeps one to itself."""
    try:
        return signal.Signals(number).name
    except ValueError:
        pass
    first, last = getattr(signal, "SIGRTMIN", None), getattr(signal, "SIGRTMAX", None)
    if first is not None and last is not None and first < number < last:
        return f"SIGRTMIN+{number - first}"
    return f"signal {number}"
