"""Which processes of the tree run this very installation: the guard's own commands may read the guard's own files."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from agentguard.model.process import ProcessSnapshot

_PACKAGE = Path(__file__).resolve().parents[1]
_WITH_VALUE = frozenset({"-X", "-W"})
"""Options of python whose value is the next word."""


def is_own_command(process: ProcessSnapshot) -> bool:
    """Told by what would be loaded, not by a name: our interpreter, on our package, with nothing put before it.

    As exact as /proc is: a process may rewrite its own command line.
    """
    if not process.exe or not _same_file(process.exe, sys.executable):
        return False
    options, program = _taken_apart(process.cmdline[1:])
    if program == ("-m", "agentguard"):
        isolated = "-I" in options
        return isolated or (not _shadowed(process.cwd) and _python_variables(process.pid) == _own_variables())
    if len(program) == 1:  # the console script of an installed package
        script = os.path.join(process.cwd, program[0])
        beside = os.path.join(os.path.dirname(sys.executable), "agentguard")
        return _same_file(script, beside) and _python_variables(process.pid) == _own_variables()
    return False


def _taken_apart(words: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(options of the interpreter, `-m MODULE` or the script)."""
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "-m":
        at += 2 if words[at] in _WITH_VALUE else 1
    return words[:at], words[at : at + 2] if words[at : at + 1] == ("-m",) else words[at : at + 1]


def _same_file(path: str, other: str) -> bool:
    try:
        return Path(path).samefile(other)
    except OSError:
        return False


def _shadowed(cwd: str) -> bool:
    """`python -m` looks in the working folder first."""
    found = [Path(cwd, name) for name in ("agentguard", "agentguard.py")]
    return any(path.exists() and path.resolve() != _PACKAGE for path in found)


def _python_variables(pid: int) -> frozenset[bytes] | None:
    """What would make python load something else."""
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return None
    return frozenset(entry for entry in entries if entry.startswith(b"PYTHON"))


def _own_variables() -> frozenset[bytes]:
    return frozenset(os.fsencode(f"{name}={value}") for name, value in os.environ.items() if name.startswith("PYTHON"))
