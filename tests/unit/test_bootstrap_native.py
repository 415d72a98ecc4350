"""The C is compiled when AgentGuard is set up, again when it changes, and never at the cost of a start.

Real scripts, real environments, a real compiler where there is one; small C files stand for the real ones, which have
tests of their own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

COMPILER = shutil.which("cc")
needs_compiler = pytest.mark.skipif(not COMPILER, reason="there is no C compiler")
COUNTING = '#!/bin/sh\necho started >>"{log}"\n{then}\n'
SAID = "agentguard: the native loop was not compiled "


@dataclass(frozen=True)
class Checkout:
    """A copy of the project, with dependencies that are already there."""

    root: Path
    env: dict[str, str]

    @property
    def folder(self) -> Path:
        return self.root / ".venv" / "lib" / "agentguard"

    @property
    def runs(self) -> int:
        """How often the compiler was started."""
        log = self.root / "compiler.log"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def compiler(self, then: str) -> None:
        """What the C compiler does when it is started; it is counted."""
        program = Path(self.env["CC"])
        program.write_text(COUNTING.format(log=self.root / "compiler.log", then=then))
        program.chmod(0o755)

    def start(self) -> str:
        """Start the program; what was said of set-up."""
        command = [str(self.root / "scripts" / "agentguard"), "--version"]
        run = subprocess.run(command, capture_output=True, text=True, check=False, env=self.env, cwd="/")
        assert run.returncode == 0, run.stderr
        return "".join(line + "\n" for line in run.stderr.splitlines() if "making" not in line and "ready" not in line)

    def libraries(self) -> set[str]:
        """The kinds that are compiled, by their names."""
        return {path.name for path in self.folder.iterdir()} if self.folder.exists() else set()

    def sources(self) -> None:
        """Put the small files in the place of the real ones."""
        self.write("loop.c", "extern int one(void); int one(void) { return 1; }\n")
        self.write("gate.c", "extern int two(void); int two(void) { return 2; }\n")
        self.write("views.c", "extern int three(void); int three(void) { return 3; }\n")

    def write(self, name: str, text: str) -> None:
        (self.root / "agentguard" / "native" / name).write_text(text)


@pytest.fixture(scope="module")
def set_up(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """An environment in place, for all tests here: each takes seconds to make. Nothing has to be fetched for it."""
    base = tmp_path_factory.mktemp("native")
    root = base / "a checkout"
    for name in ("agentguard", "scripts"):
        shutil.copytree(repository / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (root / "scripts" / "constraints").iterdir():
        path.write_text("")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    made = Checkout(root, {"HOME": str(base), "PATH": path, "CC": str(base / "counted-cc")})
    made.sources()
    made.compiler("exit 1")
    assert made.start() == SAID + "(the C compiler failed): the Python loop serves\n"
    return made


@pytest.fixture
def checkout(set_up: Checkout) -> Checkout:
    """As if nothing had been compiled yet; the compiler is the real one, if there is one."""
    for path in (set_up.root / ".venv").glob("native-*"):
        path.unlink()
    shutil.rmtree(set_up.folder, ignore_errors=True)
    (set_up.root / "compiler.log").unlink(missing_ok=True)
    set_up.sources()
    set_up.compiler(f'exec {COMPILER} "$@"')
    return set_up


@needs_compiler
def test_compiled_once_and_again_when_a_source_changes(checkout: Checkout) -> None:
    assert checkout.start() == ""
    first = checkout.libraries()
    assert {name.split("-")[0] for name in first} == {"loop", "gate", "views"}
    assert checkout.start() == ""
    assert (checkout.libraries(), checkout.runs) == (first, 3)

    log = (checkout.root / ".venv" / "agentguard-install.log").read_text()
    checkout.write("loop.c", "extern int one(void); int one(void) { return 11; }\n")
    assert checkout.start() == ""
    second = checkout.libraries()
    assert len(second & first) == 2, "the others are what they were"
    assert len(second - first) == 1, "the loop is new"
    assert len(second) == 3, "the old loop is gone"
    assert checkout.runs == 4
    assert (checkout.root / ".venv" / "agentguard-install.log").read_text() == log, "pip was not started"

    checkout.write("table.h", "/* shared by two */\n")
    checkout.start()
    assert (checkout.runs, len(checkout.libraries() - second)) == (6, 2)


@needs_compiler
def test_without_a_compiler_it_is_said_once_and_made_when_one_has_come(checkout: Checkout) -> None:
    program = Path(checkout.env["CC"])
    program.rename(program.with_name("away"))
    assert checkout.start() == SAID + "(no C compiler): the Python loop serves\n"
    assert checkout.start() == ""
    program.with_name("away").rename(program)
    assert checkout.runs == 0
    assert checkout.start() == ""
    assert (len(checkout.libraries()), checkout.runs) == (3, 3)
    checkout.start()
    assert checkout.runs == 3


def test_a_path_without_any_compiler(checkout: Checkout, tmp_path: Path) -> None:
    """No $CC, and none of the names that are looked for: as a small container has it."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "cat", "cmp", "mkdir", "rm", "uname", "readlink", "cksum", "tr"):
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    (tools / f"python3.{sys.version_info[1]}").symlink_to(sys.executable)
    env = {name: value for name, value in checkout.env.items() if name != "CC"} | {"PATH": str(tools)}
    bare = Checkout(checkout.root, env)
    assert SAID + "(no C compiler): the Python loop serves\n" in bare.start()
    assert bare.start() == ""
    assert bare.libraries() == set()


def test_a_compiler_that_fails_is_not_tried_at_each_start(checkout: Checkout) -> None:
    checkout.compiler("echo 'loop.c:1:10: fatal error: stdlib.h: No such file or directory' >&2; exit 1")
    reason = "(the C compiler failed: stdlib.h: No such file or directory)"
    assert checkout.start() == f"{SAID}{reason}: the Python loop serves\n"
    assert "loop.c:1:10: fatal error" in (checkout.root / ".venv" / "agentguard-install.log").read_text()
    assert checkout.start() == ""
    assert (checkout.libraries(), checkout.runs) == (set(), 3)


@needs_compiler
def test_one_that_cannot_be_compiled_does_not_take_the_other_with_it(checkout: Checkout) -> None:
    checkout.write("gate.c", "#error not on this machine\n")
    reason = "(the C compiler failed: #error not on this machine)"
    served = "the supervisor is asked at every open"
    assert checkout.start() == f"agentguard: the native gate was not compiled {reason}: {served}\n"
    assert {name.split("-")[0] for name in checkout.libraries()} == {"loop", "views"}


@needs_compiler
def test_what_an_interrupted_set_up_left_is_cleaned_up(checkout: Checkout) -> None:
    checkout.start()
    good = checkout.libraries()
    (checkout.folder / "tmpleft").mkdir()
    (checkout.folder / "tmpleft" / "made.so").touch()
    (checkout.folder / "loop-0123456789abcdef.so").touch()
    (checkout.root / ".venv" / "native-sources.txt").unlink()
    checkout.start()
    assert checkout.libraries() == good
