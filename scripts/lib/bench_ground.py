"""Where `bench files` works: a file system that holds nothing else, in a mount namespace of its own.

Both need root, and both end with this process: no other process sees the mounts, and the kernel frees them. Without
root, or where the kernel has no loop devices, the folder is used as it is, and a tool that could not be kept from
watching the rest of the machine is left out.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNS = 0x20000
"""linux/sched.h"""
SPACE = 8 << 30
"""Bytes of the file system; only what is written takes room."""
INODES = 600_000
TRACING = Path("/sys/kernel/tracing")


@contextmanager
def own_ground(folder: Path) -> Iterator[str]:
    """Put a file system of its own on the empty folder. Yields why that was not possible, or nothing."""
    why = _mount(folder)
    try:
        yield why
    finally:
        if not why:
            subprocess.run(["umount", "--lazy", folder], check=False, capture_output=True)


def _mount(folder: Path) -> str:
    if os.geteuid():
        return "needs root"
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS):
        return "what it sees could not be limited to the bench: " + os.strerror(ctypes.get_errno())
    image = folder.with_name("image")
    with image.open("wb") as file:
        file.truncate(SPACE)
    steps = [
        ["mount", "--make-rprivate", "/"],
        ["mkfs.ext4", "-q", "-F", "-N", str(INODES), "-E", "nodiscard", str(image)],
        ["mount", "-o", "loop,noinit_itable", str(image), str(folder)],
    ]
    if TRACING.is_dir() and not any(TRACING.iterdir()):  # bpftrace reads it
        steps.append(["mount", "-t", "tracefs", "tracefs", str(TRACING)])
    try:
        for words in steps:
            subprocess.run(words, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return f"what it sees could not be limited to the bench: {' '.join(words[:3])} failed"
    finally:
        image.unlink()  # the mount holds it
    return ""
