"""What a scan costs: a large tree and histories, in processor time and memory; beside kingfisher where it is given."""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench_setting import REPOSITORY, Setting

_BUILT = shutil.ignore_patterns("__pycache__", "*.pyc", "*.so", "*.a", "*.node", "*.dll")
_COMMITS, _FILES, _CHANGES = 5_500, 220, 3
"""Of the history that is made here: commits, files, and files that each commit changes."""
_LOOK_SECONDS = 0.03
"""Between two looks at how much memory is used."""
_WAYS = {"tree": 2.0, "history": 1.0}
"""How many times kingfisher's MB per CPU second is asked for."""


@dataclass(frozen=True, slots=True)
class _Work:
    name: str
    kind: str
    """A key of `_WAYS`."""
    folder: Path
    size: int
    """Bytes of the files, or of all versions of them."""
    words: str


_Command = Callable[[_Work], list[str]]


@dataclass(frozen=True, slots=True)
class _Cost:
    seconds: float
    """Of processors, in all processes."""
    wall: float
    memory: int = 0
    """Bytes at the peak, what processes share counted once."""


def bench_scan(setting: Setting) -> None:
    """Print CPU seconds, MB a CPU second, wall seconds and peak memory of a scan of each."""
    tools = {"agentguard": _ours(setting)}
    if setting.kingfisher is not None:
        tools["kingfisher"] = _theirs(setting.kingfisher)
    rounds = 1 if setting.quick else max(3, setting.rounds // 3)
    print(
        f"\nscans, medians of {rounds} interleaved rounds behind two that warm the caches; MB are of files, or of all"
    )
    print("the versions of a file in a history; memory is that of all processes, what they share counted once")
    for work in _works(setting):
        costs: dict[str, list[_Cost]] = {name: [] for name in tools}
        peaks: dict[str, int] = {}
        for number in range(-2, rounds):  # the first fills the caches, the second is watched, which takes time itself
            for name in sorted(tools, reverse=bool(number % 2)):
                cost = _run(tools[name](work), setting, watched=number == -1)
                if number >= 0:
                    costs[name].append(cost)
                peaks[name] = max(peaks.get(name, 0), cost.memory)
        _print(work, costs, peaks)


def _print(work: _Work, costs: dict[str, list[_Cost]], peaks: dict[str, int]) -> None:
    print(f"\n{work.name}: {work.words}, {work.size / 1e6:,.0f} MB")
    print(f"{'':<12}{'CPU s':>8}{'MB/CPU s':>10}{'wall s':>8}{'memory MB':>11}")
    speeds: dict[str, float] = {}
    for name, several in costs.items():
        seconds = statistics.median(cost.seconds for cost in several)
        wall = statistics.median(cost.wall for cost in several)
        speeds[name] = work.size / 1e6 / seconds
        print(f"{name:<12}{seconds:>8.2f}{speeds[name]:>10.0f}{wall:>8.2f}{peaks[name] / 1e6:>11.0f}")
    if len(speeds) > 1:
        speed, memory = speeds["agentguard"] / speeds["kingfisher"], peaks["agentguard"] / peaks["kingfisher"]
        print(
            f"{speed:.2f} times its MB per CPU second (asked: {_WAYS[work.kind]:.0f}), {memory:.2f} of its memory (0.5)"
        )


def _ours(setting: Setting) -> _Command:
    def command(work: _Work) -> list[str]:
        words = [sys.executable, "-m", "agentguard", "scan", "--home", str(setting.base / "guard"), str(work.folder)]
        return [*words, "--format", "json", "--ignored"] if work.kind == "tree" else [*words, "--history"]

    return command


def _theirs(program: Path) -> _Command:
    def command(work: _Work) -> list[str]:
        words = [str(program), "scan", str(work.folder), "--no-validate", "--format", "json", "--quiet"]
        return [*words, "--no-update-check"]

    return command


def _run(command: Sequence[str], setting: Setting, *, watched: bool) -> _Cost:
    """Run it to its end; of a watched one the memory, of the others the time."""
    before, began = os.times(), time.perf_counter()
    child = subprocess.Popen(
        command, env=setting.environ(), cwd=setting.base, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    peak = _Peak(child.pid) if watched else None
    child.wait()
    wall, after = time.perf_counter() - began, os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    if child.returncode not in (0, 1, 2, 200, 205):
        raise RuntimeError(f"{command[0]} ended with {child.returncode}")
    return _Cost(seconds, wall, peak.stop() if peak else 0)


class _Peak:
    """Looks again and again at how much memory a process and its children use."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._most = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def stop(self) -> int:
        """Bytes at the peak."""
        self._ended.set()
        self._thread.join()
        return self._most

    def _look(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            self._most = max(self._most, sum(map(_share, _family(self._pid))))


def _family(pid: int) -> Iterator[int]:
    """A process that was started here, and all below it."""
    yield pid
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))
    except OSError:  # it has ended
        return


def _share(pid: int) -> int:
    """Bytes of a process's own, and its part of what it shares."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _works(setting: Setting) -> Iterator[_Work]:
    tree = setting.base / "tree"
    for number, source in enumerate(_sources(quick=setting.quick)):
        shutil.copytree(source, tree / str(number), symlinks=True, ignore=_BUILT)
    files = [path.stat().st_size for path in tree.rglob("*") if path.is_file() and not path.is_symlink()]
    yield _Work("a large tree", "tree", tree, sum(files), f"{len(files):,} files of source")
    if (REPOSITORY / ".git").exists():
        yield _history(setting, "this project's history", REPOSITORY, "own.git")
    made = setting.base / "made"
    _make_history(made, 60 if setting.quick else _COMMITS)
    yield _history(setting, "a history made here", made, "made.git")


def _sources(*, quick: bool) -> list[Path]:
    """Python's own library, this environment's packages and node's, as far as they are here."""
    library = Path(sysconfig.get_path("stdlib"))
    if quick:
        return [library / "json", library / "email"]
    node = [Path("/usr/lib/node_modules"), Path("/usr/local/lib/node_modules")]
    return [library, Path(sysconfig.get_path("purelib")), *(folder for folder in node if folder.is_dir())]


def _history(setting: Setting, name: str, source: Path, called: str) -> _Work:
    """A bare copy: nothing but the history is there to be scanned."""
    bare = setting.base / called
    _git(setting.base, "clone", "--quiet", "--bare", str(source), str(bare))
    _git(bare, "repack", "-a", "-d", "--quiet")
    listed = _git(bare, "cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objecttype) %(objectsize)")
    sizes = [int(line.split()[1]) for line in listed.splitlines() if line.startswith("blob")]
    commits = _git(bare, "rev-list", "--all", "--count").strip()
    return _Work(name, "history", bare, sum(sizes), f"{int(commits):,} commits, {len(sizes):,} versions of files")


def _make_history(folder: Path, commits: int) -> None:
    """A repository whose files are Python's own, each commit changing some lines of some of them."""
    source = random.Random(5)  # noqa: S311 (the same history each time)
    paths = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))[:_FILES]
    files = {path.name: path.read_bytes().splitlines(keepends=True) for path in paths}
    stream = [b"reset refs/heads/main\n"]
    for number in range(commits):
        stream.append(b"commit refs/heads/main\ncommitter ada <ada@example.org> %d +0000\n" % (1_600_000_000 + number))
        stream.append(b"data 8\na change\n")
        for name in list(files) if number == 0 else source.sample(sorted(files), _CHANGES):
            lines = files[name]
            for _ in range(4 if number else 0):
                other = files[source.choice(sorted(files))]
                lines[source.randrange(len(lines))] = other[source.randrange(len(other))]
            data = b"".join(lines)
            stream.append(b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(data), data))
    folder.mkdir()
    _git(folder, "init", "--quiet", "--initial-branch=main")
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input=b"".join(stream), check=True)


def _git(folder: Path, *words: str) -> str:
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *words], cwd=folder, env=environ, check=True, capture_output=True, text=True)
    return done.stdout
