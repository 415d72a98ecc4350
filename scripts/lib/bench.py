"""What the guard costs. Every figure is a ratio of medians taken in one run, in interleaved rounds.

    bench.py [files] [proxy] [start] [--rounds N]

`files`: the same workloads with no guard, under `agentguard run`, and under `strace -f`. A worker process is
started once under each, so that its start-up is not in the figures; the driver then asks each in turn.
`proxy`: requests direct, through a bare mitmproxy, and through the guard.
`start`: how long until the agent's first instruction, and `--help`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench_proxy import bench_proxy

REPOSITORY = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("bench_worker.py")
FILES = 20_000
PER_FOLDER = 200
STRACE = ("strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=open,openat,openat2,execve,connect", "-o", "/dev/null")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=["files", "proxy", "start", []], default=[])
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    what = arguments.what or ["files", "proxy", "start"]
    with tempfile.TemporaryDirectory(prefix="agentguard-bench-") as folder:
        base = Path(folder).resolve()
        if "files" in what:
            bench_files(base, arguments.rounds)
        if "proxy" in what:
            bench_proxy(base, arguments.rounds, environ(base))
        if "start" in what:
            bench_start(base, arguments.rounds)
    return 0


def environ(base: Path) -> dict[str, str]:
    """Clean, with a home of its own."""
    user = base / "user"
    user.mkdir(exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(user),
        "AGENTGUARD_HOME": str(base / "home"),
        "PYTHONPATH": str(REPOSITORY),
        "LANG": "C.UTF-8",
    }


def guard(*options: str) -> list[str]:
    return [sys.executable, "-m", "agentguard", "run", "--quiet", *options, "--"]


# --- files ----------------------------------------------------------------------------------------


def bench_files(base: Path, rounds: int) -> None:
    project = _make_project(base)
    workloads = [name for name, program in _WORKLOADS.items() if shutil.which(program)]
    wrappers: dict[str, list[str]] = {"none": [], "agentguard": guard()}
    if shutil.which("strace"):
        wrappers["strace -f"] = list(STRACE)
    else:
        print("strace is not installed: its column is left out (Debian: strace)")
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(_worker(wrapper, project, environ(base))) for name, wrapper in wrappers.items()
        }
        times = _interleave(workers, workloads, rounds)
    _print_files(times, list(wrappers))


_WORKLOADS = {
    "git status": "git",
    "grep -r 20k files": "grep",
    "python start": "sh",
    "node start": "node",
    "200 fork+exec": "sh",
}


def _make_project(base: Path) -> Path:
    """A repository of 20,000 small files and one secret."""
    project = base / "project"
    project.mkdir()
    for number in range(FILES):
        folder = project / f"d{number // PER_FOLDER}"
        if number % PER_FOLDER == 0:
            folder.mkdir()
        (folder / f"f{number}.txt").write_text(f"line of file {number}\n" * 8)
    (project / ".env").write_text("DEBUG=true\nTOKEN=" + os.urandom(16).hex() + "\n")
    settings = ("user.name=bench", "user.email=bench@localhost", "gc.auto=0", "maintenance.auto=false")
    git = ["git", *(word for setting in settings for word in ("-c", setting))]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "bench"]):
        subprocess.run([*git, *words], cwd=project, env=environ(base), check=True)
    return project


@contextmanager
def _worker(wrapper: Sequence[str], project: Path, env: dict[str, str]) -> Iterator[Callable[[str], float]]:
    """A process under `wrapper` that runs a workload when asked and answers with seconds."""
    process = subprocess.Popen(
        [*wrapper, sys.executable, str(WORKER)],
        cwd=project,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def ask(workload: str) -> float:
        assert process.stdin
        assert process.stdout
        process.stdin.write(workload + "\n")
        process.stdin.flush()
        return float(process.stdout.readline())

    try:
        yield ask
    finally:
        process.communicate()


def _interleave(
    workers: dict[str, Callable[[str], float]], workloads: list[str], rounds: int
) -> dict[str, dict[str, list[float]]]:
    times: dict[str, dict[str, list[float]]] = {workload: {name: [] for name in workers} for workload in workloads}
    for number in range(rounds + 1):  # the first round warms the caches and is not counted
        for workload in workloads:
            for name, ask in workers.items():
                seconds = ask(workload)
                if number:
                    times[workload][name].append(seconds)
        print(f"\rround {number} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return times


def _print_files(times: dict[str, dict[str, list[float]]], names: list[str]) -> None:
    print(f"\n{'workload':<20}{'none':>10}" + "".join(f"{name:>22}" for name in names[1:]))
    for workload, by_name in times.items():
        plain = statistics.median(by_name["none"])
        row = f"{workload:<20}{plain * 1000:>7.1f} ms"
        for name in names[1:]:
            median = statistics.median(by_name[name])
            row += f"{median * 1000:>11.1f} ms {median / plain:>6.2f}x"
        print(row)


# --- start ----------------------------------------------------------------------------------------


def bench_start(base: Path, rounds: int) -> None:
    env = environ(base)
    project = base / "empty"
    project.mkdir()
    clock = "import time; print(time.monotonic())"
    agentguard = REPOSITORY / "scripts" / "agentguard"
    started, helped = [], []
    for number in range(rounds + 1):
        before = time.monotonic()
        words = [*guard(), sys.executable, "-S", "-c", clock]
        done = subprocess.run(words, cwd=project, env=env, capture_output=True, text=True, check=True)
        seconds = float(done.stdout) - before
        before = time.monotonic()
        subprocess.run([agentguard, "--help"], cwd=project, env=env, capture_output=True, check=True)
        if number:
            started.append(seconds)
            helped.append(time.monotonic() - before)
    print(f"\nagent started after   {statistics.median(started):.2f} s (worst {max(started):.2f})")
    print(f"--help answered after {statistics.median(helped):.2f} s (worst {max(helped):.2f})")


if __name__ == "__main__":
    raise SystemExit(main())
