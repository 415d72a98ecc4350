"""`scripts/agentguard` on a fresh machine, after an accident, and in an odd place.

Everything is real (the scripts, venv, pip with hashes) but for the dependencies, one tiny wheel made here, so that
nothing is fetched; and for the C, which `test_bootstrap_native` sees to.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

IS_ROOT = os.geteuid() == 0
together = pytest.mark.xdist_group("bootstrap")
"""They share what takes seconds to make."""


@dataclass(frozen=True)
class Checkout:
    """A copy of the project that can be spoilt."""

    root: Path
    env: dict[str, str]

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    def start(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.root / "scripts" / "agentguard"), *arguments]
        env = {**self.env, **variables}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd="/")

    def begin(self) -> subprocess.Popen[str]:
        """A start in a process group of its own, to be killed or waited for."""
        command = [str(self.root / "scripts" / "agentguard"), "--version"]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=self.env, start_new_session=True)


def make_wheel(folder: Path) -> str:
    """A package that says one word; returns its line for a constraints file."""
    folder.mkdir(parents=True)
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tiny.py", "WORD = 'here'\n")
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "tiny.py,,\ntiny-1.0.dist-info/METADATA,,\n")
    return f"tiny==1.0 \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def checkout(repository: Path, tmp_path: Path, home: Path) -> Checkout:
    """Nothing installed yet."""
    return copy_of(repository, tmp_path, home)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with nothing in it but pip: it takes seconds to make, and a moment to copy."""
    folder = tmp_path_factory.mktemp("made") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder


@pytest.fixture
def by_hand(checkout: Checkout, made: Path) -> Checkout:
    """Nothing installed yet into an environment that the user has made."""
    shutil.copytree(made, checkout.venv, symlinks=True)
    return checkout


@pytest.fixture(scope="module")
def kept(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, Path]:
    """One that has been started before, and a copy of it."""
    folder = tmp_path_factory.mktemp("started")
    checkout = copy_of(repository, folder, folder)
    assert checkout.start("--version").returncode == 0
    return checkout, shutil.copytree(checkout.root, folder / "copy", symlinks=True)


@pytest.fixture
def started(kept: tuple[Checkout, Path]) -> Iterator[Checkout]:
    """One that has been started before, and is put back into that state at the end."""
    checkout, copy = kept
    yield checkout
    shutil.rmtree(checkout.root)
    shutil.copytree(copy, checkout.root, symlinks=True)


def copy_of(repository: Path, folder: Path, home: Path) -> Checkout:
    """The Python of this run stands for the one that a user would have."""
    root = folder / "a checkout"  # with a space: users have them
    ignore = shutil.ignore_patterns("__pycache__", ".mypy_cache")
    for name in ("agentguard", "scripts"):
        shutil.copytree(repository / name, root / name, ignore=ignore)
    for path in (root / "agentguard" / "native").glob("*.c"):
        path.write_text("extern int one(void); int one(void) { return 1; }\n")  # the real ones take a second
    pin = make_wheel(folder / "wheels")
    for path in (root / "scripts" / "constraints").iterdir():
        path.write_text(pin)
    env = {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder / "wheels"),
    }
    return Checkout(root, env)


def assert_works(checkout: Checkout, venv: Path) -> None:
    run = checkout.start("--version")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("agentguard ")
    told = subprocess.run(
        [str(venv / "bin" / "python"), "-I", "-c", "import agentguard, tiny; print(tiny.WORD, agentguard.__file__)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout == f"here {checkout.root}/agentguard/__init__.py\n"


def cpu_seconds(checkout: Checkout) -> float:
    """What a start costs, shell included; a busy machine does not change it much."""
    before = os.times()
    checkout.start("--help")
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def test_first_start_installs_and_second_does_not(checkout: Checkout, tmp_path: Path) -> None:
    first = checkout.start("--help")
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("usage: agentguard")
    assert "making" in first.stderr
    assert "ready after" in first.stderr
    before = {path: path.stat().st_mtime_ns for path in checkout.venv.iterdir()}
    second = checkout.start("--help")
    assert (second.stdout, second.stderr) == (first.stdout, "")
    assert before == {path: path.stat().st_mtime_ns for path in checkout.venv.iterdir()}
    assert min(cpu_seconds(checkout) for _ in range(5)) < 0.3
    assert_works(checkout, checkout.venv)
    # The installed command and a link to the script start the same program.
    (tmp_path / "link").symlink_to(checkout.root / "scripts" / "agentguard")
    for command in (checkout.venv / "bin" / "agentguard", tmp_path / "link"):
        assert subprocess.check_output([command, "--help"], text=True, env=checkout.env) == first.stdout


@together
def test_the_users_own_modules_stay_out(started: Checkout, tmp_path: Path) -> None:
    """An agent may write `argparse.py` where the user starts us."""
    (tmp_path / "argparse.py").write_text("raise SystemExit('hijacked')\n")
    command = [str(started.root / "scripts" / "agentguard"), "--version"]
    env = {**started.env, "PYTHONPATH": str(tmp_path)}
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=env)
    assert (run.returncode, run.stderr) == (0, "")


@together
def test_the_environment_passes_through(started: Checkout) -> None:
    """What the user has exported reaches the agent as it was, whatever names the scripts use."""
    program = started.root / "agentguard" / "__main__.py"
    program.write_text("import json, os; print(json.dumps(dict(os.environ)))\n")
    exported = dict.fromkeys(("root", "python", "venv", "cache", "link", "near", "reason", "OLDPWD"), "mine")
    for variables in (exported, {**exported, "AGENTGUARD_PYTHON": sys.executable}):
        seen = json.loads(started.start("--version", **variables).stdout)
        assert {name: seen.get(name) for name in variables} == variables
        assert "AGENTGUARD_VENV" not in seen


def test_two_first_starts_at_once(checkout: Checkout) -> None:
    both = [checkout.begin(), checkout.begin()]
    said = [process.communicate(timeout=100) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert all(out.startswith("agentguard ") for out, _ in said)
    assert sum("making" in err for _, err in said) == 1
    assert sum("waiting for it" in err for _, err in said) == 1


def test_an_interrupted_install_is_begun_anew(checkout: Checkout) -> None:
    mark = checkout.venv / "agentguard.unfinished"
    for number in (signal.SIGKILL, signal.SIGINT):
        process = checkout.begin()
        until = time.monotonic() + 60
        while not (mark.exists() and (checkout.venv / "lib").exists()):
            assert time.monotonic() < until
            time.sleep(0.01)
        os.killpg(process.pid, number)
        process.communicate(timeout=60)
        assert process.returncode in {-number, 130}
        assert mark.exists()
    again = checkout.start("--version")
    assert again.returncode == 0, again.stderr
    assert "making" in again.stderr
    assert not mark.exists()
    assert_works(checkout, checkout.venv)


@together
def test_a_moved_checkout_and_a_lost_interpreter(started: Checkout, tmp_path: Path) -> None:
    moved = Checkout(shutil.copytree(started.root, tmp_path / "moved", symlinks=True), started.env)
    assert "making" in moved.start("--version").stderr
    assert_works(moved, moved.venv)
    for link in (moved.venv / "bin").glob("python*"):
        link.unlink()
        link.symlink_to("/nonexistent/python3")
    again = moved.start("--version")
    assert again.returncode == 0, again.stderr
    assert "Traceback" not in again.stderr
    assert_works(moved, moved.venv)


@together
def test_a_chosen_python_replaces_the_one_before(started: Checkout, repository: Path) -> None:
    find = '. "$1"; for minor in 11 12 13 14; do find_python $minor && echo "$python_minor $python"; done'
    script = repository / "scripts" / "lib" / "python.sh"
    lines = subprocess.run(["sh", "-c", find, "sh", script], capture_output=True, text=True, check=False).stdout
    pythons = dict(line.split(" ", 1) for line in lines.splitlines())
    pythons.pop(f"3.{sys.version_info[1]}", None)
    if not pythons:
        pytest.skip("this machine has one usable Python only")
    minor, python = pythons.popitem()
    assert "making" in started.start("--version", AGENTGUARD_PYTHON=python).stderr
    assert (started.venv / "agentguard.txt").read_text().splitlines()[0] == minor
    assert started.start("--version", AGENTGUARD_PYTHON=python).stderr == ""
    assert_works(started, started.venv)  # without the choice it stays


@together
def test_new_constraints_are_installed_into_the_old_environment(started: Checkout) -> None:
    for path in (started.root / "scripts" / "constraints").iterdir():
        path.write_text("\n" + path.read_text())
    run = started.start("--version")
    assert "ready after" in run.stderr
    assert "making" not in run.stderr
    assert_works(started, started.venv)


@together
def test_an_environment_made_by_hand_is_taken_as_it_is(by_hand: Checkout) -> None:
    own = by_hand.venv / "mine.txt"
    own.write_text("keep me")
    assert "making" not in by_hand.start("--version").stderr
    assert own.exists()
    assert_works(by_hand, by_hand.venv)


def test_a_checkout_of_another_user(checkout: Checkout, home: Path) -> None:
    """Read-only to us, or (as root) simply not ours: the environment goes to our own cache."""
    if IS_ROOT:
        for path in (checkout.root, *checkout.root.rglob("*")):
            os.chown(path, 12345, 12345)
    else:
        checkout.root.chmod(stat.S_IRUSR | stat.S_IXUSR)
    run = checkout.start("--version")
    assert run.returncode == 0, run.stderr
    assert not checkout.venv.exists()
    (elsewhere,) = (home / ".cache" / "agentguard").iterdir()
    assert_works(checkout, elsewhere)
    checkout.root.chmod(0o755)


@pytest.mark.skipif(not IS_ROOT, reason="only root can make another user's folder")
def test_a_broken_environment_of_another_user_is_left_alone(checkout: Checkout, home: Path) -> None:
    (checkout.venv / "bin").mkdir(parents=True)
    (checkout.venv / "bin" / "python").symlink_to("/nonexistent/python3")
    os.chown(checkout.venv, 12345, 12345)
    run = checkout.start("--version")
    assert run.returncode == 0, run.stderr
    assert [path.name for path in checkout.venv.iterdir()] == ["bin"]
    (elsewhere,) = (home / ".cache" / "agentguard").iterdir()
    assert_works(checkout, elsewhere)


def test_a_folder_that_is_no_environment_is_not_emptied(checkout: Checkout) -> None:
    checkout.venv.mkdir()
    (checkout.venv / "thesis.txt").write_text("years of work")
    run = checkout.start("--version")
    assert run.returncode == 2
    assert one_line(run).endswith("is not a virtual environment; move it away, and start again")
    assert [path.name for path in checkout.venv.iterdir()] == ["thesis.txt"]


@together
def test_a_file_that_is_not_the_pinned_one(by_hand: Checkout) -> None:
    for path in (by_hand.root / "scripts" / "constraints").iterdir():
        path.write_text(f"tiny==1.0 --hash=sha256:{'0' * 64}\n")
    run = by_hand.start("--version")
    assert run.returncode == 2
    line = one_line(run)
    assert "not the pinned one" in line
    assert Path(line.rsplit("What was said: ")[1]).read_text().count("tiny") > 0


@together
def test_no_network(by_hand: Checkout) -> None:
    variables = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}
    (by_hand.root.parent / "wheels" / "tiny-1.0-py3-none-any.whl").unlink()
    run = by_hand.start("--version", **variables)
    assert run.returncode == 2
    assert "the package index cannot be reached" in one_line(run)


@together
def test_no_such_package_for_this_platform(by_hand: Checkout) -> None:
    (by_hand.root.parent / "wheels" / "tiny-1.0-py3-none-any.whl").unlink()
    run = by_hand.start("--version")
    assert run.returncode == 2
    assert "no ready-made file of tiny==1.0" in one_line(run)


def one_line(run: subprocess.CompletedProcess[str]) -> str:
    """What is said of a failure: one line, besides the progress, and nothing on stdout."""
    progress = ("agentguard: making", "agentguard: fetching", "agentguard: installing")
    lines = [line for line in run.stderr.splitlines() if not line.startswith(progress)]
    assert len(lines) == 1, run.stderr
    assert run.stdout == ""
    assert lines[0].startswith("agentguard: ")
    return lines[0]
