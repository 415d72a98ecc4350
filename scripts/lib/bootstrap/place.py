"""Where the environment goes, and how to hold that place alone."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from talk import SetupError, say


def choose(root: Path, places: list[Path]) -> Path:
    """The first place that is ours to fill, made when missing. Another user's environment is never touched.

    Nor is an environment put into another user's checkout: a root who looks around in it must not leave files there
    that its owner cannot remove.
    """
    for place in places:
        if place.exists():
            if place.is_dir() and place.stat().st_uid == os.geteuid() and os.access(place, os.W_OK | os.X_OK):
                return place
        elif place.parent != root or root.stat().st_uid == os.geteuid():
            with contextlib.suppress(OSError):
                place.mkdir(parents=True, exist_ok=True)
                return place
    tried = " and ".join(map(str, places))
    raise SetupError(
        f"no place for the environment: {tried} cannot be written; set XDG_CACHE_HOME to a folder of yours"
    )


@contextlib.contextmanager
def locked(place: Path) -> Iterator[int]:
    """Hold the place alone; yields the lock's descriptor. The kernel frees it, however its holders end."""
    while True:
        place.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _wait(descriptor)
            if _still_there(place, descriptor):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _wait(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("another start is installing; waiting for it")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        say("this file system has no locks; do not start twice at once while it installs")


def _still_there(place: Path, descriptor: int) -> bool:
    """Someone may have removed the folder while this start waited for it."""
    try:
        return os.path.samestat(os.fstat(descriptor), place.stat())
    except FileNotFoundError:
        return False
