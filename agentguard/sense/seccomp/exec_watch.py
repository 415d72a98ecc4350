"""Execs: the new program, its arguments, and its environment when it is one not yet seen."""

from __future__ import annotations

import ctypes
import hashlib
import os
import stat
from collections.abc import Sequence
from typing import NamedTuple

from agentguard.model.process import ProcessSnapshot
from agentguard.sense.privilege import gains_privilege
from agentguard.sense.process_tree import ProcessTree
from agentguard.sense.seccomp.memory import CallerMemory
from agentguard.sense.seccomp.paths import View

MAX_ENVIRONMENTS = 4096
_FDCWD = -100
_FIRST_LINE = 256
"""BINPRM_BUF_SIZE of the kernel: it reads no more of a first line."""

Environ = tuple[tuple[str, str], ...]


class Exec(NamedTuple):
    """A program that is about to start."""

    process: ProcessSnapshot
    environ: Environ | None
    privileged: bool


class ExecWatch:
    """Looks at held execs. For one thread."""

    def __init__(self, memory: CallerMemory, view: View, tree: ProcessTree) -> None:
        self._memory = memory
        self._view = view
        self._tree = tree
        self._environments: set[bytes] = set()

    def look(self, tid: int, name: str, arguments: Sequence[int], wide: bool) -> Exec | None:
        """None when the exec cannot succeed: a shell tries every folder of PATH in turn."""
        if name == "execve":
            directory, path_at, argv_at, envp_at = _FDCWD, *arguments[:3]
        else:
            directory = ctypes.c_int32(arguments[0] & 0xFFFFFFFF).value
            path_at, argv_at, envp_at = arguments[1:4]
        path = self._memory.string(tid, path_at)
        if path is None:
            return None
        if not path:  # fexecve(): the descriptor is the program
            path, directory = b"/proc/self/fd/%d" % directory, _FDCWD
        info = self._view.stat(tid, directory, path)
        if info is None or not stat.S_ISREG(info.st_mode) or not info.st_mode & 0o111:
            return None
        exe = self._view.real_path(tid, directory, path)
        argv = self._memory.strings(tid, argv_at, wide) or []
        environ = self._environment(tid, envp_at, wide)
        process = self._tree.exec(tid, interpreter(exe, _first_line(exe)), tuple(map(os.fsdecode, argv)))
        return Exec(process, environ, self._privileged(tid, exe))

    @staticmethod
    def _privileged(tid: int, exe: str) -> bool:
        try:
            caller = os.stat(f"/proc/{tid}")
        except OSError:
            return False
        return privileged(exe, caller.st_uid, caller.st_gid)

    def _environment(self, tid: int, address: int, wide: bool) -> Environ | None:
        entries = self._memory.strings(tid, address, wide)
        if not entries:
            return None
        digest = hashlib.blake2b(b"\0".join(entries), digest_size=16).digest()
        if digest in self._environments:
            return None
        if len(self._environments) >= MAX_ENVIRONMENTS:
            self._environments.clear()
        self._environments.add(digest)
        return environment(entries)


def environment(entries: Sequence[bytes]) -> Environ:
    """As pairs. What is no `NAME=value` has an empty value."""
    pairs = (entry.partition(b"=") for entry in entries)
    return tuple((os.fsdecode(name), os.fsdecode(value)) for name, _, value in pairs)


def privileged(exe: str, uid: int, gid: int) -> bool:
    """Whether the program would gain privilege over a caller of these effective ids."""
    try:
        return gains_privilege(exe, os.stat(exe), uid, gid)
    except OSError:
        return False


def interpreter(program: str, line: bytes) -> str:
    """What the kernel runs for a script: the program of its first line. For `#!/usr/bin/env node` it is env, for the
    moment until env becomes node; the name that a person expects is node."""
    if not line.startswith(b"#!"):
        return program
    words = [os.fsdecode(word) for word in line[2:].split()]
    if words[:1] and words[0].endswith("/env"):
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    return words[0] if words else program


def _first_line(program: str) -> bytes:
    try:
        with open(program, "rb", buffering=0) as file:
            return file.read(_FIRST_LINE).split(b"\n", 1)[0]
    except OSError:
        return b""
