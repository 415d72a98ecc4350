"""What the git gate adds to a commit: the same commits in two repositories, with the gate's hooks and without any."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench_setting import Setting

from agentguard.hooks.install import install
from agentguard.hooks.looking import Looking
from agentguard.hooks.place import find_place
from agentguard.hooks.program import prepare, this_program

_FILES = 5
_ROUNDS = 3
"""Of those asked for, as many commits: one is soon made."""
_SIZES = {"4 KB": 4_000, "100 KB": 100_000}
_WAYS: dict[str, dict[str, str]] = {
    "commit -m": {},
    "commit with an editor": {"GIT_EDITOR": "true", "GIT_MERGE_AUTOEDIT": "no"},
}
_MODULES = 80
_BUDGET = 80
"""Milliseconds that all hooks of a commit of five files may add."""


@dataclass(frozen=True, slots=True)
class _Cost:
    """Milliseconds."""

    wall: float
    processor: float


@dataclass(frozen=True, slots=True)
class _Repository:
    top: Path
    home: Path

    def git(self, *words: str, **variables: str) -> _Cost:
        """What it took, its children included.

        Raises:
            CalledProcessError: it failed.
        """
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1", **variables}
        return _cost(["git", *words], cwd=self.top, env=environ)


def bench_hook(setting: Setting) -> None:
    """Print milliseconds of a commit of five files, without hooks and with the gate, and of a bare start of Python."""
    home = setting.base / "home"
    home.mkdir()
    program = this_program(home)
    prepare(program)
    plain, gated = (_new(setting.base / name, home) for name in ("plain", "gated"))
    install(find_place(gated.top), program)
    rounds = 1 if setting.quick else setting.rounds * _ROUNDS
    text = _text(str(home))
    python = _median([_cost([sys.executable, "-I", "-S", "-c", ""]) for _ in range(rounds)])
    print(f"\na commit of {_FILES} files, {rounds} interleaved rounds, medians; all the hooks of a commit together")
    print(f"{'ms':<34}{'no hooks':>10}{'gate':>8}{'added':>8}{'of the processor':>20}{'bare starts':>14}")
    for name, size in _SIZES.items():
        texts = [text[at : at + size] for at in range(0, len(text) - size, size)]
        for way in _WAYS:
            before, after = _measured((plain, gated), texts, way, rounds)
            added = _Cost(after.wall - before.wall, after.processor - before.processor)
            print(
                f"{f'{name} each, {way}':<34}{before.wall:>10.1f}{after.wall:>8.1f}{added.wall:>8.1f}"
                f"{added.processor:>20.1f}{added.wall / python.wall:>13.1f}×"
            )
    print(f"a bare start of this Python (-I -S): {python.wall:.1f} ms, {python.processor:.1f} of the processor.")
    print(
        f"The budget is {_BUDGET} ms; {os.getloadavg()[0]:.1f} processes wanted {os.cpu_count()} processors meanwhile."
    )


def _measured(repositories: Sequence[_Repository], texts: Sequence[str], way: str, rounds: int) -> list[_Cost]:
    """Medians of a commit in each; the first round warms the caches and does not count."""
    costs: list[list[_Cost]] = [[] for _ in repositories]
    for number in range(rounds + 1):
        order = list(zip(repositories, costs, strict=True))
        for repository, taken in order if number % 2 else reversed(order):
            cost = _commit(repository, texts, way, number)
            if number:
                taken.append(cost)
    return [_median(taken) for taken in costs]


def _median(costs: Sequence[_Cost]) -> _Cost:
    return _Cost(statistics.median(one.wall for one in costs), statistics.median(one.processor for one in costs))


def _cost(words: Sequence[str], **more: Any) -> _Cost:
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True, capture_output=True, **more)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _Cost(wall * 1000, processor * 1000)


def _commit(repository: _Repository, texts: Sequence[str], way: str, number: int) -> _Cost:
    for at in range(_FILES):
        text = texts[(at * 7 + number * 3) % len(texts)]
        (repository.top / f"module{at}.py").write_text(f"# {time.time_ns()}\n{text}\n")
    repository.git("add", "--all")
    if variables := _WAYS[way]:
        (repository.top / ".git" / "message").write_text("a change\n")
        return repository.git("commit", "--quiet", "--edit", "--file", ".git/message", **variables)
    return repository.git("commit", "--quiet", "--message", "a change")


def _new(top: Path, home: Path) -> _Repository:
    top.mkdir()
    repository = _Repository(top, home)
    repository.git("init", "--quiet")
    for name, value in (("user.name", "bench"), ("user.email", "bench@example.org"), ("gc.auto", "0")):
        repository.git("config", name, value)
    return repository


def _text(home: str) -> str:
    """Ordinary source text: Python's own library, but for files that the gate would stop."""
    texts: list[str] = []
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))[:_MODULES]:
        looking = Looking(home)
        looking.at_text(path.name, path.read_bytes())
        if not looking.found:
            texts.append(path.read_text(encoding="utf-8", errors="replace"))
    return "".join(texts)
