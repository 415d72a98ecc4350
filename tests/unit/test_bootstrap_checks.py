"""`scripts/lib/checks.py`: every check runs, and the last line and the status tell the truth to CI."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Check = Callable[..., tuple[int, str, list[str]]]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SETTINGS = """
[tool.ruff]
line-length = 120
[tool.mypy]
files = ["agentguard"]
[tool.pytest.ini_options]
addopts = "-q -p no:cacheprovider"
markers = ["slow: slow"]
[tool.importlinter]
root_package = "agentguard"
[[tool.importlinter.contracts]]
name = "a knows no b"
type = "forbidden"
source_modules = ["agentguard.a"]
forbidden_modules = ["agentguard.b"]
"""

GOOD = """import pytest


def test_one() -> None:
    pass


@pytest.mark.skip(reason="no")
def test_two() -> None:
    pass


@pytest.mark.slow
def test_three() -> None:
    pass
"""


@pytest.fixture
def project(repository: Path, tmp_path: Path) -> Path:
    """A small project in which every check passes."""
    (tmp_path / "scripts" / "lib").mkdir(parents=True)
    shutil.copy(repository / "scripts" / "lib" / "checks.py", tmp_path / "scripts" / "lib")
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    (tmp_path / "agentguard").mkdir()
    for name in ("__init__", "a", "b"):
        (tmp_path / "agentguard" / f"{name}.py").write_text("")
    (tmp_path / "tests" / "unit").mkdir(parents=True)
    (tmp_path / "tests" / "unit" / "test_small.py").write_text(GOOD)
    return tmp_path


def add_second(project: Path) -> int:
    """The tests that are run on the other Python too. Returns how many there are."""
    second = runpy.run_path(str(project / "scripts" / "lib" / "checks.py"))["SECOND"]
    for chosen in second:
        path, _, name = chosen.partition("::")
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        with (project / path).open("a") as file:
            file.write(f"def {name or 'test_it'}() -> None:\n    pass\n")
    return len(second)


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """So that the tools take less than all tests of this file together would."""
    cache = str(tmp_path_factory.mktemp("mypy"))
    return {"MYPY_CACHE_DIR": cache, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "xdist.plugin"}


@pytest.fixture
def check(project: Path, light: dict[str, str]) -> Check:
    """Runs it: status, output, and the words of the last line's counts."""
    return lambda *arguments: _check(project, light, *arguments)


def _check(project: Path, light: dict[str, str], *arguments: str) -> tuple[int, str, list[str]]:
    command = [sys.executable, "-I", str(project / "scripts" / "lib" / "checks.py"), *arguments]
    env = {**os.environ, **light}
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=env)
    last = re.fullmatch(r"===== (.*) in \d+\.\d\ds =====", run.stdout.splitlines()[-1])
    assert last, run.stdout
    return run.returncode, run.stdout, last[1].split(", ")


def test_all_is_well(project: Path, check: Check) -> None:
    again = add_second(project)
    status, output, counts = check("--second", sys.executable)
    assert status == 0, output
    assert counts == [f"{2 + again} passed", "1 skipped"], "what runs twice counts once"
    assert "every check passed" in output
    named = re.findall(r"^--- (.*): ok, \d+\.\d s$", output, re.MULTILINE)
    assert named == ["format", "lint", "types", "import contracts", "tests", "slow tests", "tests on Python 3.11"]


def test_every_failure_is_told_at_the_end(project: Path, check: Check) -> None:
    (project / "agentguard" / "a.py").write_text("import os\nfrom agentguard import  b\nx: int = 'no'\n")
    (project / "tests" / "unit" / "test_more.py").write_text("def test_bad() -> None:\n    raise OSError\n")
    (project / "tests" / "unit" / "test_torn.py").write_text("import no_such_module\n# pytest.mark.slow\n")
    status, output, counts = check("--second", sys.executable)
    assert status == 1
    assert "FAILED: format, lint, types, import contracts, tests, slow tests, tests on Python 3.11" in output
    assert counts == ["1 failed", "2 passed", "1 skipped", "3 errors"], "the tests of the second run are not there"


def test_fast_and_chosen_tests(check: Check) -> None:
    assert check("--fast")[2] == ["1 passed", "1 skipped"]
    assert check("-k", "three")[2] == ["1 passed"]
    status, _, counts = check("--no-such-option")
    assert (status, counts) == (1, ["1 error"])
