"""What makes a hook start fast changes nothing of what it finds, and what it keeps may be lost or damaged."""

from __future__ import annotations

import marshal
import re
import resource
import subprocess
from pathlib import Path

import pytest
from harness.repository import Repository, made_up_key

from agentguard.detect.compiled import compiled_types
from agentguard.detect.confirm import users_of
from agentguard.detect.rules import load_types
from agentguard.hooks.scripts import Program
from agentguard.paths import policies_dir

WITHOUT = """
import sys
sys.path += sys.argv[1:3]
from agentguard.hooks.lean import put_inspect_off
put_inspect_off()
import dataclasses
assert type(sys.modules["inspect"]).__name__ == "_LateInspect"

@dataclasses.dataclass
class Silent:
    number: int
    word: str = "a"

import inspect
assert Silent.__doc__ == "Silent(number: int, word: str = 'a')", Silent.__doc__
assert inspect.getmodule(Silent) is not None and type(inspect).__name__ == "module"
"""

KEPT = """
import sys, marshal
sys.path += sys.argv[1:3]
import re, dataclasses
from agentguard.hooks.kept import Kept
patterns = [(rb"(?P<a>x+)|[^\\x00-\\x7f]", re.I), ("ä+(?:b|c){2,3}", 0), (r"(?i:k)(?P<n>\\d)?", re.M | re.X)]
plain = [re.compile(*one) for one in patterns]
kept = Kept(sys.argv[3])
kept.put_in_place()
re.purge()
for one, expected in zip(patterns, plain):
    made = re.compile(*one)
    assert [made.flags, made.groups, made.groupindex] == [expected.flags, expected.groups, expected.groupindex]
    text = "xäbc K7 ÄBB" if isinstance(one[0], str) else b"XxY\\xe4"
    assert [found.span() for found in made.finditer(text)] == [found.span() for found in expected.finditer(text)]
made = dataclasses.make_dataclass("Pair", [("left", int), ("right", int, dataclasses.field(default=2))], frozen=True)
assert made(1) == made(1, 2) and repr(made(1)) == "Pair(left=1, right=2)" and hash(made(1)) == hash(made(1, 2))
kept.close()
print(len(kept._expressions), len(kept._codes), kept._new)
assert re.compile('of the user').match('of the user')
assert ('of the user', re.UNICODE) not in kept._expressions and len(kept._expressions) == 3
"""


def python(program: Program, code: str, *arguments: str) -> str:
    root = program.start.removesuffix("/agentguard/hooks/start.py")
    words = [program.python, "-I", "-S", "-c", code, root, program.packages, *arguments]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def gate(program: Program, **other: str) -> subprocess.CompletedProcess[str]:
    """It looks at a made-up key: 1 is right."""
    settings = {"home": program.home, **other}
    words = [program.python, "-I", "-S", program.start, settings["home"], program.packages, "prove"]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_the_compiled_types_are_those_of_the_policies_but_for_their_examples(tmp_path: Path) -> None:
    source = policies_dir() / "secrets.yaml"
    types = [_bare(kind) for kind in load_types(source, at_rest=True)]
    first = compiled_types(str(source), str(tmp_path))
    written = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(path.suffix for path in written) == [".types"]
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}
    again = compiled_types(str(source), str(tmp_path))
    assert list(first) == list(again) == types
    assert again.users == users_of(types)
    assert len(again) == len(types)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == written


@pytest.mark.parametrize("damage", [b"", b"nonsense", marshal.dumps(([], []))])
def test_what_is_kept_may_be_damaged(program: Program, tmp_path: Path, damage: bytes) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    for path in (Path(program.home) / "cache").iterdir():
        if path.suffix in (".types", ".kept"):
            (cache / path.name).write_bytes(damage)
    assert gate(program, home=str(tmp_path)).returncode == 1
    assert all(path.read_bytes() != damage for path in cache.iterdir())


def test_a_package_that_is_missing_is_named(program: Program, tmp_path: Path) -> None:
    words = [program.python, "-I", "-S", program.start, str(tmp_path), str(tmp_path), "prove"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "the package yaml is not there" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_where_nothing_can_be_kept_it_looks_all_the_same(program: Program, tmp_path: Path) -> None:
    assert gate(program, home=str(tmp_path / "missing")).returncode == 1
    assert not list(tmp_path.iterdir())


def test_expressions_and_dataclasses_that_were_kept_are_as_if_compiled(program: Program, tmp_path: Path) -> None:
    first = python(program, KEPT, str(tmp_path))
    assert first == "3 1 True\n" or re.fullmatch(r"3 [1-9]\d* True\n", first)
    assert python(program, KEPT, str(tmp_path)) == first.replace("True", "False")


def test_inspect_comes_when_it_is_wanted(program: Program) -> None:
    python(program, WITHOUT)


def test_a_commit_keeps_nothing_that_it_looked_at(guarded: Repository, program: Program) -> None:
    cache = Path(program.home) / "cache"
    before = {path: path.read_bytes() for path in cache.iterdir()}
    guarded.stage("a.py", f"secret = '{made_up_key()}'\npassword = '{'zq8#' + 'Lm2!vR5x'}'\n")
    assert guarded.commit().returncode == 1
    assert {path: path.read_bytes() for path in cache.iterdir()} == before
    assert {path.stat().st_mode & 0o777 for path in cache.iterdir()} == {0o600}


def test_a_hook_takes_no_more_than_a_few_bare_starts(guarded: Repository, program: Program) -> None:
    """Processor time, so that a busy machine does not matter; the best of six, so that a cold cache does not."""
    for number in range(5):
        guarded.stage(f"module{number}.py", Path(re.__file__).read_text()[number * 3000 :][:3000])
    start = [program.python, "-I", "-S", program.start, program.home, program.packages, "pre-commit"]
    bare = min(_cpu_of([program.python, "-I", "-S", "-c", ""], guarded.top) for _ in range(6))
    assert min(_cpu_of(start, guarded.top) for _ in range(6)) < 8 * bare


def _cpu_of(command: list[str], folder: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, check=True, stdin=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _bare(kind):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    from agentguard.detect.rules import Examples

    return replace(kind, examples=Examples(match=(), no_match=()))
