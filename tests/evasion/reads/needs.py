"""Whether a way can be tried here: "" or the reason why not. What has no entry is the name of a program."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from evasion.reads.tools import Tools
from evasion.reads.way import Way

NEW_PIDS = ("unshare", "-Urpf", "--mount-proc", "--kill-child")
"""Before a command: a pid namespace in which it may choose process ids."""
_OVERLAY = (
    "mkdir low up work all; "
    "exec unshare -Urm mount -t overlay overlay -o lowerdir=low,upperdir=up,workdir=work,userxattr all"
)


def why_not(way: Way, prefix: tuple[str, ...], tools: Tools) -> str:
    """`prefix` makes a command the user's whose session it is."""
    for need in way.needs:
        check = _CHECKS.get(need)
        reason = check(prefix, tools) if check else "" if shutil.which(need) else f"{need} is not installed"
        if reason:
            return reason
    return ""


def _root(prefix: tuple[str, ...], tools: Tools) -> str:
    return "" if os.getuid() == 0 and not prefix else "only root may"


def _x86_64(prefix: tuple[str, ...], tools: Tools) -> str:
    return "" if platform.machine() == "x86_64" else "x86_64 only"


def _compiled(name: str, what: str) -> Callable[[tuple[str, ...], Tools], str]:
    return lambda prefix, tools: "" if name in tools else f"{what} cannot be compiled here"


def _ia32(prefix: tuple[str, ...], tools: Tools) -> str:
    if "i386" not in tools:
        return "32-bit programs cannot be compiled here"
    return _tried(str(tools.folder / "i386"), "/dev/null", "/proc/self/stat")


def _tried(*command: str) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"the system refuses: {done.stderr.strip()[-200:] or done.returncode}"


def _overlay(prefix: tuple[str, ...], tools: Tools) -> str:
    with tempfile.TemporaryDirectory(prefix="agentguard-test-") as name:
        Path(name).chmod(0o777)
        return _tried(*prefix, "sh", "-c", f"cd {name}; {_OVERLAY}")


_CHECKS: dict[str, Callable[[tuple[str, ...], Tools], str]] = {
    "root": _root,
    "x86_64": _x86_64,
    "ia32": _ia32,
    "static": _compiled("calls-static", "a static program"),
    "io_uring": lambda prefix, tools: _tried(*prefix, str(tools.folder / "ring"), "--can"),
    "userns": lambda prefix, tools: _tried(*prefix, "unshare", "-Urmpf", "true"),
    "pidns": lambda prefix, tools: _tried(*prefix, *NEW_PIDS, "sh", "-c", "echo 100 > /proc/sys/kernel/ns_last_pid"),
    "overlay": _overlay,
}
