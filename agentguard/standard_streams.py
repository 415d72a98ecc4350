"""The three standard streams, whatever the caller made of them.

A program may be started with some of them closed (`<&-`, a careless daemon). Python then has None for the stream,
and the next file that is opened, a database say, gets its number: what is printed would be written into it.
"""

from __future__ import annotations

import os
import sys
from typing import TextIO, cast


def fill_closed_streams() -> None:
    """Open /dev/null for each that is closed. It is not inherited: the agent finds its stream closed, as it was."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)  # The lowest free number is this one.
    sys.stdin = sys.stdin or _text(0, "r")
    sys.stdout = sys.stdout or _text(1, "w")
    sys.stderr = sys.stderr or _text(2, "w")


def discard_output() -> None:
    """The readers of our output have gone. Python would complain again when it flushes at exit: give it no pipe."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(null, stream.fileno())
    os.close(null)


def _text(number: int, mode: str) -> TextIO:
    return cast("TextIO", open(number, mode, encoding="utf-8", errors="backslashreplace", closefd=False))
