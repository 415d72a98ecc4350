"""Runs a command as an ordinary user when the tests run as root: users are not root.

The interpreter may live where only root can reach (a version manager in root's home). Then the command gets a
mount namespace of its own in which that one folder is reachable; nothing of the machine is changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

UID = 65534
_DROP = ("setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--")
_REACHABLE = """
set -e
aside=$(mktemp -d)
mount --bind "$1" "$aside"
mount -t tmpfs -o mode=755 tmpfs "$2"
mkdir -p "$1"
mount --bind "$aside" "$1"
umount "$aside"
rmdir "$aside"
shift 2
exec "$@"
"""


@cache
def ordinary_user_prefix() -> tuple[str, ...]:
    """What to put before a command. Skips the test where it cannot be done."""
    if os.getuid() != 0:
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("setpriv is not installed (Debian: util-linux)")
    base = Path(sys.base_prefix)
    closed = next((str(parent) for parent in reversed(base.parents) if not parent.stat().st_mode & 0o001), None)
    prefix: tuple[str, ...] = _DROP
    if closed is not None:
        make_reachable = ("unshare", "--mount", "--propagation", "private", "sh", "-c", _REACHABLE, "sh")
        prefix = (*make_reachable, str(base), closed, *_DROP)
    done = subprocess.run([*prefix, sys.executable, "-c", "import ssl"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"an ordinary user cannot run {sys.executable}: {done.stderr.strip()[-200:]}")
    return prefix


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that every user may write to. (pytest keeps its own to the user who runs it.)"""
    with tempfile.TemporaryDirectory(prefix="agentguard-test-") as name:
        folder = Path(name).resolve()
        folder.chmod(0o777)
        yield folder
