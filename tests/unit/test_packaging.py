"""The wheel and the source archive work far from the checkout, with all their data files."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from agentguard import __version__
from agentguard.native.build import LIBRARIES, compiler, library_name

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


def native_files(wheel: Path) -> set[str]:
    """What a wheel has in the folder for compiled C."""
    with zipfile.ZipFile(wheel) as archive:
        return {Path(name).name for name in archive.namelist() if "/compiled/" in name}


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
    assert {"agentguard/native/table.h", "scripts/lib/wheel_native.py"} <= names
    assert not [name for name in names if name.startswith((".venv", ".git/")) or "__pycache__" in name]


@pytest.mark.skipif(not compiler(), reason="there is no C compiler")
def test_the_wheel_has_the_compiled_c_and_finds_it(built: Path, installed: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    made = {library_name(kind) for kind in LIBRARIES}
    assert native_files(wheel) == made
    assert "-py3-none-linux_" in wheel.name
    for name in made:
        code = f"from agentguard.native.find import find_library; print(find_library({name.split('-')[0]!r}))"
        found = Path(run_there([installed / "python", "-I", "-c", code], tmp_path).strip())
        assert found.is_relative_to(installed.parent)
        ctypes.CDLL(str(found))


@pytest.mark.parametrize("compiles", [False, True])
def test_a_wheel_is_for_this_platform_when_it_holds_compiled_c(
    repository: Path, tmp_path: Path, compiles: bool
) -> None:
    source = tmp_path / "source"
    for name in ("agentguard", "policies", "scripts/lib"):
        shutil.copytree(repository / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(repository / name, source)
    for name in {sources[0] for sources in LIBRARIES.values()}:
        (source / "agentguard" / "native" / name).write_text("extern int one(void); int one(void) { return 1; }\n")
    compiler_here = shutil.which("cc") if compiles else None
    if compiles and not compiler_here:
        pytest.skip("there is no C compiler")
    env = {**os.environ, "CC": compiler_here or str(tmp_path / "no-such-compiler")}
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, source]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert run.returncode == 0, run.stdout + run.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert {name.split("-")[0] for name in native_files(wheel)} == (set(LIBRARIES) if compiles else set())
    assert wheel.name.endswith("-py3-none-any.whl") != compiles
    assert not (source / "agentguard" / "native" / "compiled").exists()


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


def test_the_git_gate_works_from_it(installed: Path, tmp_path: Path) -> None:
    """`hook install` starts it as a hook will, and proves that it stops a made-up key."""
    run_there(["git", "init", "--quiet", "."], tmp_path)
    told = run_there([installed / "agentguard", "hook", "install", "git"], tmp_path)
    assert "pre-commit written" in told
    assert str(installed / "python") in (tmp_path / ".git/hooks/pre-commit").read_text()
    assert "✓ proved" in run_there([installed / "agentguard", "hook", "status", "git"], tmp_path)
