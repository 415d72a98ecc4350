"""For the Python ways: says who it is before it opens."""

from __future__ import annotations

import os


def note() -> None:
    """Append our process id, as the session's own /proc shows it, to the file that $PIDS names."""
    out = os.open(os.environ["PIDS"], os.O_WRONLY | os.O_APPEND)
    os.write(out, os.readlink(b"/proc/self") + b"\n")
    os.close(out)
