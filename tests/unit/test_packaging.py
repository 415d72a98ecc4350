"""The wheel and the source archive work far from the checkout, with all their data files."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from agentguard import __version__

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

IMPORT_ALL = """
import importlib, pkgutil
def walk(name):
    module = importlib.import_module(name)
    for found in pkgutil.iter_modules(getattr(module, "__path__", []), name + "."):
        if not found.name.endswith(".__main__"):
            walk(found.name)
walk("agentguard")
"""


@pytest.fixture(scope="module")
def built(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive, and the wheel that was built from it and not from the checkout."""
    folder = tmp_path_factory.mktemp("dist")
    # The build backend is one of the pinned tools of this environment; an isolated build would fetch another.
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(repository)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with the wheel and this environment's dependencies, but not its checkout."""
    place = tmp_path_factory.mktemp("elsewhere") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    (wheel,) = built.glob("*.whl")
    install = [sys.executable, "-m", "pip", "--python", str(place), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    # A folder named in a .pth is searched for modules; .pth files inside it (the one to our checkout) are not read.
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(place), "platbase": str(place)}))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return place / "bin"


def run_there(command: list[str | Path], folder: Path) -> str:
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_the_wheel_has_every_file_of_the_package(built: Path, repository: Path) -> None:
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
    for source, prefix in ((repository / "agentguard", "agentguard"), (repository / "policies", "agentguard/policies")):
        files = [file for file in source.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
        missing = {f"{prefix}/{file.relative_to(source)}" for file in files} - names
        assert missing == set()
    assert not [name for name in names if name.startswith(("tests", "scripts"))]


def test_the_source_archive_can_test_itself(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"pyproject.toml", "scripts/agentguard", "scripts/constraints/dev-py312.txt", "tests/conftest.py"} <= names
    assert not [name for name in names if name.startswith((".venv", ".git/")) or "__pycache__" in name]


def test_the_command_runs_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    assert run_there([installed / "agentguard", "--version"], tmp_path) == f"agentguard {__version__}\n"
    assert run_there([installed / "agentguard", "--help"], tmp_path).startswith("usage: agentguard")
    assert run_there([installed / "python", "-m", "agentguard", "--version"], tmp_path).startswith("agentguard ")


def test_the_policies_come_with_it(installed: Path, tmp_path: Path, repository: Path) -> None:
    code = "from agentguard.paths import policies_dir; print(policies_dir())"
    folder = Path(run_there([installed / "python", "-I", "-c", code], tmp_path).strip())
    assert folder.is_relative_to(installed.parent)
    assert (folder / "secrets.yaml").is_file()
    assert {path.name for path in (repository / "policies").iterdir()} <= {path.name for path in folder.iterdir()}
    assert os.access(folder / "secrets.yaml", os.R_OK)


def test_every_module_can_be_imported_from_it(installed: Path, tmp_path: Path) -> None:
    told = run_there(
        [installed / "python", "-I", "-c", IMPORT_ALL + "print(importlib.import_module('agentguard').__file__)"],
        tmp_path,
    )
    assert Path(told.strip()).is_relative_to(installed.parent)
