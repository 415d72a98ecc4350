"""Installs real agents and real clients, once, into a cache folder outside the repository and outside any home folder.

`AGENTGUARD_TEST_AGENTS` names the folder; else it is `agents` in `AGENTGUARD_TEST_CACHE`; else in a folder of the
user's own under /tmp. A failed installation is remembered for an hour, so a machine without a network is not slow.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

MINUTES = 5
RETRY_AFTER = 3600


class CannotInstallError(Exception):
    """Why an agent cannot be had here, in one line."""


def cache() -> Path:
    if chosen := os.environ.get("AGENTGUARD_TEST_AGENTS"):
        return Path(chosen)
    root = os.environ.get("AGENTGUARD_TEST_CACHE") or f"/tmp/agentguard-test-cache-{os.getuid()}"
    return Path(root) / "agents"


def from_python(package: str, version: str, program: str, environ: dict[str, str]) -> Path:
    """The `program` (a glob below site-packages) that a Python distribution bundles.

    Args:
        environ: for pip: the machine's own settings.

    Raises:
        CannotInstallError: it cannot be installed, or holds no such program.
    """
    folder = cache() / f"{package}-{version}"

    def install() -> None:
        _run([sys.executable, "-m", "venv", str(folder)], environ)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-deps"]
        # The tested version; where an index no longer has it, today's.
        _run([*pip, f"{package}=={version}"], environ, otherwise=[*pip, package])

    return _once(folder, install, f"lib/python*/site-packages/{program}")


def python_with(name: str, packages: Sequence[str], environ: dict[str, str]) -> Path:
    """A Python that has these distributions, in today's versions. Errors as `from_python`."""
    folder = cache() / f"python-{name}"

    def install() -> None:
        _run([sys.executable, "-m", "venv", str(folder)], environ)
        _run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *packages], environ)

    return _once(folder, install, "bin/python")


def from_node(package: str, version: str, program: str, environ: dict[str, str]) -> Path:
    """The `program` that an npm package puts into `.bin`. Errors as `from_python`."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise CannotInstallError("node and npm are not installed")
    folder = cache() / f"{package.replace('/', '-').lstrip('@')}-{version}"
    install_in = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--silent"]

    def install() -> None:
        _run([*install_in, f"{package}@{version}"], environ, otherwise=[*install_in, package])

    return _once(folder, install, f"node_modules/.bin/{program}")


def _once(folder: Path, install: Callable[[], None], program: str) -> Path:
    """Parallel test processes wait for the first; `.ready` and `.failed` say how it went."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    ready, failed = folder / ".ready", folder.with_name(f"{folder.name}.failed")
    with _locked(folder.with_name(f"{folder.name}.lock")):
        if not ready.exists():
            if failed.exists() and time.time() - failed.stat().st_mtime < RETRY_AFTER:
                raise CannotInstallError(failed.read_text())
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            try:
                install()
                _prove(folder, program)
            except CannotInstallError as error:
                failed.write_text(str(error))
                raise
            ready.touch()
    return next(folder.glob(program))


def _prove(folder: Path, program: str) -> None:
    found = next(folder.glob(program), None)
    if found is None or subprocess.run([found, "--version"], capture_output=True, check=False).returncode != 0:
        raise CannotInstallError(f"{folder.name} has no {program} that runs on this machine")


def _run(command: list[str], environ: dict[str, str], *, otherwise: list[str] | None = None) -> None:
    try:
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60 * MINUTES, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotInstallError(f"{command[0]}: {type(error).__name__}") from None
    if done.returncode == 0:
        return
    if otherwise is not None:
        _run(otherwise, environ)
        return
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    raise CannotInstallError(f"{' '.join(command[-2:])}: {lines[-1] if lines else done.returncode}")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
