"""What the ways find in their PATH: the programs of c/, compiled here, and two small scripts."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from evasion.scripts import write_scripts

HERE = Path(__file__).resolve().parent
_CFLAGS = ("-O1", "-Wall", "-Wextra", "-Werror")
_BARE = ("-m32", "-nostdlib", "-static", "-fno-pic", "-no-pie", "-fno-stack-protector")


@dataclass(frozen=True, slots=True)
class _Program:
    name: str
    source: str
    flags: tuple[str, ...] = ()
    compiler: str = "gcc"
    optional: bool = False
    """It needs what many machines have not: a way that uses it says so in `needs`."""


_PROGRAMS = (
    _Program("calls", "calls.c"),
    _Program("processes", "processes.c", ("-pthread",)),
    _Program("handing", "handing.c"),
    _Program("ring", "ring.c"),
    _Program("preloaded.so", "preloaded.c", ("-shared", "-fPIC")),
    _Program("calls-static", "calls.c", ("-static",), optional=True),
    _Program("i386", "i386.c", _BARE, optional=True),
    _Program("calls-musl", "calls.c", ("-static",), compiler="musl-gcc", optional=True),
)


@dataclass(frozen=True, slots=True)
class Tools:
    """A folder for the front of PATH."""

    folder: Path

    def __contains__(self, name: str) -> bool:
        return (self.folder / name).exists()


def make_tools(folder: Path) -> Tools:
    """Write the scripts, and compile what can be compiled here. A warning is an error."""
    write_scripts(folder)
    for program in _PROGRAMS:
        if not shutil.which(program.compiler):
            continue
        command = [program.compiler, *_CFLAGS, *program.flags, "-o", folder / program.name, HERE / "c" / program.source]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert program.optional or done.returncode == 0, done.stderr
    return Tools(folder)
