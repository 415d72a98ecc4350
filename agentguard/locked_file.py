"""A small file of the home folder that several guards write to: a plain file, opened for one change, and locked.

The agent is the same user and may put anything in its place: a link is not followed, a pipe not waited for.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@contextlib.contextmanager
def locked(path: Path, *, make: bool, tries: int, pause: float) -> Iterator[int]:
    """Its descriptor, to read and write. Opened anew each time: it may have been removed or replaced.

    The lock is tried for, and done without when others keep it or the file system has none: what is kept here is no
    reason to wait.

    Args:
        make: where there is none.
        tries: how often the lock is asked for.
        pause: seconds between two tries.

    Raises:
        OSError: it cannot be opened, or is no plain file.
    """
    descriptor = os.open(path, _FLAGS | (os.O_CREAT if make else 0), 0o600)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("not a file")
        _lock(descriptor, tries, pause)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, tries: int, pause: float) -> None:
    for _ in range(tries):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause)
        except OSError:  # this file system has no locks
            return
        else:
            return
