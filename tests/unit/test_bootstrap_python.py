"""Which Python `scripts/lib/python.sh` takes: the newest that runs, not the newest that has a name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FIND = '. "$1"; python_folders() { printf "%s\\n" "$folders_here"; }; find_python ${2-} && echo "$python_minor $python"'
"""Searches only the folders of the test: this machine's own Pythons would hide what is tested."""


def find(repository: Path, folders: list[Path], *minor: str, **variables: str) -> subprocess.CompletedProcess[str]:
    script = repository / "scripts" / "lib" / "python.sh"
    env = {"PATH": os.environ["PATH"], "folders_here": "\n".join(map(str, folders)), **variables}
    command = ["sh", "-c", FIND, "sh", str(script), *minor]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def fake(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path.parent


def claims(minor: int, path: str) -> str:
    """A body that answers as a usable Python 3.MINOR would."""
    return f"printf '3.{minor}\\n{path}\\n{path}\\n'"


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """A folder with this run's Python under its own name."""
    folder = tmp_path / "real"
    folder.mkdir()
    (folder / f"python3.{sys.version_info[1]}").symlink_to(sys.executable)
    return folder


def test_shims_that_fail_are_passed_over(repository: Path, tmp_path: Path, real: Path) -> None:
    shims = tmp_path / "shims"
    fake(shims / "python3.14", "echo 'pyenv: python3.14: command not found' >&2; exit 127")
    fake(shims / "python3.13", "exit 0")
    fake(shims / "python3.12", "echo Python 3.12.0")
    fake(shims / f"python3.{sys.version_info[1]}", "kill -9 $$")
    run = find(repository, [shims, real])
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.split()[0] == f"3.{sys.version_info[1]}"
    assert Path(run.stdout.split(" ", 1)[1].strip()).is_file()


def test_the_newest_wins_wherever_it_stands(repository: Path, tmp_path: Path, real: Path) -> None:
    newest = tmp_path / "newest"
    fake(newest / "python3.14", claims(14, "/bin/sh"))
    run = find(repository, [real, newest])
    assert run.stdout == "3.14 /bin/sh\n"


def test_a_python_without_a_version_in_its_name(repository: Path, tmp_path: Path) -> None:
    folder = tmp_path / "venv with a space"
    folder.mkdir()
    (folder / "python3").symlink_to(sys.executable)
    assert find(repository, [folder]).stdout.startswith(f"3.{sys.version_info[1]} ")


def test_one_minor_version_when_asked(repository: Path, real: Path) -> None:
    own = sys.version_info[1]
    assert find(repository, [real], str(own)).stdout.startswith(f"3.{own} ")
    other = find(repository, [real], "11" if own != 11 else "12")
    assert (other.returncode, other.stdout, other.stderr) == (1, "", "")


def test_none_at_all(repository: Path, tmp_path: Path) -> None:
    run = find(repository, [tmp_path])
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert run.stderr.startswith("agentguard: no usable Python 3.11 to 3.14 found; install one")


def test_one_that_lacks_a_module_is_named(repository: Path, tmp_path: Path) -> None:
    """As Debian's Python without python3-venv: the real check runs, with the module hidden."""
    hide = f'exec {sys.executable} -c "import sys; sys.modules[\'ensurepip\'] = None; exec(sys.argv.pop(1))" "$3" $4 $5'
    folder = fake(tmp_path / "bin" / "python3.13", hide)
    run = find(repository, [folder])
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert f"{folder}/python3.13 has no module ensurepip; install it" in run.stderr


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (None, "does not run"),
        ("exit 3", "does not run"),
        ("echo hello", "did not answer as Python does"),
        ("echo 'is Python 3.9; 3.11 to 3.14 will do' >&2; exit 1", "is Python 3.9"),
    ],
)
def test_a_chosen_python_must_work(repository: Path, tmp_path: Path, real: Path, body: str | None, reason: str) -> None:
    chosen = tmp_path / "chosen"
    if body:
        fake(chosen, body)
    run = find(repository, [real], AGENTGUARD_PYTHON=str(chosen))
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.count("\n") == 1
    assert f"AGENTGUARD_PYTHON={chosen} {reason}" in run.stderr


def test_a_chosen_python_is_taken_by_path_or_name(repository: Path, real: Path, tmp_path: Path) -> None:
    newer = fake(tmp_path / "newer" / "python3.14", claims(14, "/bin/sh"))
    for name in (sys.executable, f"python3.{sys.version_info[1]}"):
        path = f"{real}:{os.environ['PATH']}"
        run = find(repository, [newer], AGENTGUARD_PYTHON=name, PATH=path)
        assert run.stdout.startswith(f"3.{sys.version_info[1]} "), run.stderr
