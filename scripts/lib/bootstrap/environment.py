"""The environment itself: what is there, and how the rest gets there.

The project is not installed but pointed at, by a `.pth` file and a two-line command: pip refuses hashes for a local
project, and an editable install would need its build backend, seconds of time, and another run after each change of
pyproject.toml. Wheels are built by `python -m build`, as the tests do.

Dependencies come with hashes, as ready-made files only, and without pip's own resolution: scripts/lock has done it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

from talk import Progress, SetupError, explain, say

OLDEST = 11
LOG = "agentguard-install.log"
RECORD = "agentguard.txt"
UNFINISHED = "agentguard.unfinished"
OURS = {"pyvenv.cfg", "bin", "lib", LOG}
"""Any of these in a folder says that it is an environment, if a broken one."""

MISLEADING = {"PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_DRY_RUN", "PIP_NO_BINARY", "PIP_CONSTRAINT"}
"""Settings that send an install elsewhere or change what is installed. Where to fetch from stays the user's."""

ASK = "import os, sys, pip; print(sys.version_info[1], os.path.realpath(sys._base_executable), sep='\\n')"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What an environment's own Python said when it was run."""

    minor: int
    base: str
    """Real path of the Python that the environment was made from."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment of one checkout."""

    root: Path
    """The checkout."""
    place: Path

    @staticmethod
    def own_base() -> str:
        """The Python that runs this, or the one below it when it is an environment's."""
        return str(getattr(sys, "_base_executable", sys.executable))

    @property
    def python(self) -> Path:
        return self.place / "bin" / "python"

    def constraints(self, chosen: str, minor: int) -> Path:
        """The file that pins the set `runtime` or `dev`; dev is runtime and more, in the same versions."""
        return self.root / "scripts" / "constraints" / f"{chosen}-{'py311' if minor == 11 else 'py312'}.txt"

    def stamp(self, chosen: str) -> Path:
        """A copy of the constraints that the set was installed from."""
        return self.place / f"constraints-{chosen}.txt"

    def record(self, found: Interpreter) -> str:
        """The text of the file that says what this environment is; `venv.sh` reads it."""
        return f"3.{found.minor}\n{self.root}\n{found.base}\n"

    def inspect(self, newest: int, only: str = "") -> Interpreter | None:
        """What is there; None when it must be made anew: missing, unfinished, moved, broken, or of the wrong Python.

        Wrong is one newer than the constraints know (3.`newest`), or another than `only`, if that is given.
        An environment that someone made by hand is taken as it is.
        """
        if (self.place / UNFINISHED).exists():
            return None
        try:
            answer = subprocess.run([self.python, "-I", "-c", ASK], capture_output=True, text=True, check=True)
            minor, base = answer.stdout.splitlines()
        except (OSError, ValueError, subprocess.SubprocessError):
            return None
        found = Interpreter(int(minor), base)
        moved = read(self.place / RECORD) not in {"", self.record(found)}
        supported = OLDEST <= found.minor <= newest
        return found if supported and not moved and only in {"", base} else None


def is_current(environment: Environment, found: Interpreter, chosen: str) -> bool:
    """Whether the set is complete: another start may have finished it while this one waited."""
    pinned = read(environment.constraints(chosen, found.minor))
    return read(environment.place / RECORD) != "" and read(environment.stamp(chosen)) == pinned


def install(environment: Environment, found: Interpreter | None, chosen: str, lock: int) -> None:
    """Make what is missing. A mark says so until the end: to pip, a package half written looks whole."""
    started = time.monotonic()
    place = environment.place
    (place / UNFINISHED).touch()
    if found is None:
        clear(place)
        say(f"making {place} with Python {sys.version.split()[0]}")
        _run(environment, lock, [sys.executable, "-I", "-m", "venv", "--prompt", "agentguard", str(place)])
        found = Interpreter(sys.version_info[1], os.path.realpath(Environment.own_base()))
    for stamp in place.glob("constraints-*.txt"):
        stamp.unlink()
    pinned = environment.constraints(chosen, found.minor)
    pip = [
        str(environment.python),
        "-I",
        "-m",
        "pip",
        "install",
        "--no-input",
        "--no-user",
        "--disable-pip-version-check",
    ]
    how = ["--progress-bar", "off", "--no-warn-script-location", "--no-deps", "--only-binary", ":all:"]
    _run(environment, lock, [*pip, *how, "--require-hashes", "-r", str(pinned)], Progress(pinned))
    point_at_checkout(environment, found.minor)
    (place / RECORD).write_text(environment.record(found))
    for name in {chosen, "runtime"}:
        shutil.copyfile(environment.constraints(name, found.minor), environment.stamp(name))
    (place / UNFINISHED).unlink()
    say(f"ready after {time.monotonic() - started:.0f} s")


def clear(place: Path) -> None:
    """Empty the folder, but for the mark.

    Raises:
        SetupError: the folder holds something and never was an environment: it is not ours to empty.
    """
    others = [entry for entry in place.iterdir() if entry.name != UNFINISHED]
    if others and not any(entry.name in OURS for entry in others):
        (place / UNFINISHED).unlink()
        raise SetupError(f"{place} is not a virtual environment; move it away, and start again")
    for entry in others:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def point_at_checkout(environment: Environment, minor: int) -> None:
    """What an editable install would do: the checkout on the path, and a command."""
    place = str(environment.place)
    names = {"base": place, "platbase": place, "py_version_short": f"3.{minor}"}
    packages = Path(sysconfig.get_path("purelib", "venv", names))
    (packages / "agentguard.pth").write_text(f"{environment.root}\n")
    python = str(environment.python).replace("'", "'\\''")
    command = environment.place / "bin" / "agentguard"
    command.write_text(f"#!/bin/sh\nexec '{python}' -I -m agentguard \"$@\"\n")
    command.chmod(0o755)


def _run(environment: Environment, lock: int, command: list[str], progress: Progress | None = None) -> None:
    """Run one step with its output in the log. It holds the lock too, in case we are killed before it ends."""
    kept = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    log = environment.place / LOG
    with log.open("a+", encoding="utf-8", errors="replace") as file:
        position = file.tell()
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=kept,
            pass_fds=[lock],
        ) as process:
            for line in process.stdout or ():
                file.write(line)
                if progress:
                    progress.line(line)
        if progress:
            progress.end()
        if process.returncode:
            file.seek(position)
            raise SetupError(f"set-up failed: {explain(file.read())}; then start again. What was said: {log}")


def read(path: Path) -> str:
    """The file's text, or nothing when it cannot be read."""
    try:
        return path.read_text()
    except OSError:
        return ""
