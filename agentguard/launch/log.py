"""The log of a supervisor: its standard error, once it has left the terminal."""

from __future__ import annotations

import contextlib
import os


def log(line: str) -> None:
    """Best effort, and never an error: the disk that is full for the database is full for the log."""
    with contextlib.suppress(OSError):
        os.write(2, f"{line}\n".encode(errors="backslashreplace"))
