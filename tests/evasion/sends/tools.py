"""What the ways find in their PATH beside what is installed."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from harness import install

from evasion.scripts import write_scripts

HERE = Path(__file__).resolve().parent
DATAGRAM = "datagram"
LIBRARIES = ("requests", "httpx", "aiohttp")
_LIBS_PYTHON = "libs-python"


@dataclass(frozen=True, slots=True)
class Tools:
    """A folder for the front of PATH."""

    folder: Path
    missing: dict[str, str] = field(default_factory=dict)
    """Programs that could not be had, and why."""

    def why_not(self, program: str) -> str:
        if program in self.missing:
            return self.missing[program]
        found = (self.folder / program).exists() or shutil.which(program)
        return "" if found else f"{program} is not installed"


def make_tools(folder: Path) -> Tools:
    """Write the scripts, and compile what can be compiled here. A warning is an error."""
    write_scripts(folder, [HERE], "from kit import *")
    tools = Tools(folder)
    if not shutil.which("gcc"):
        tools.missing[DATAGRAM] = "gcc is not installed"
        return tools
    flags = ("-O1", "-Wall", "-Wextra", "-Werror", "-I", HERE.parent / "reads" / "c")
    command = ["gcc", *flags, "-o", folder / DATAGRAM, HERE / "c" / "datagram.c"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return tools


def make_client_tools(folder: Path, environ: dict[str, str]) -> Tools:
    """The same, and a Python with other people's libraries.

    Args:
        environ: for the installer.
    """
    tools = make_tools(folder)
    try:
        python = install.python_with("clients", LIBRARIES, environ)
    except install.CannotInstallError as error:
        tools.missing[_LIBS_PYTHON] = str(error)
        return tools
    (folder / _LIBS_PYTHON).write_text(f"#!/bin/sh\nexec '{python}' \"$@\"\n")
    (folder / _LIBS_PYTHON).chmod(0o755)
    return tools
