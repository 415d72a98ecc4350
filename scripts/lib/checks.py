"""Runs the checks one after the other, all of them, and says at the end what failed.

Started by scripts/test with the environment's Python. The static checks speak only when they fail; pytest is shown as
it runs. Tests wait for a good part of their time, so there is one more of them at a time than processors. While
the slow ones run, the second Python takes what they leave of the processors; what it prints comes when it is done.

The last line has the form of pytest's own, with the counts of all its runs: CI reads it.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
PYTEST = [sys.executable, "-m", "pytest", "--continue-on-collection-errors"]
COUNTED = ("failed", "passed", "skipped", "xfailed", "xpassed", "error")
WORKERS = (os.cpu_count() or 1) + 1
"""Tests at a time: they wait a good part of their time."""
SECOND = ["-n", "1", "-m", "not slow and not timed", "tests/unit"]
NO_TESTS = 5
"""pytest's exit status when nothing was selected: no failure for a phase."""


@dataclass(slots=True)
class Tally:
    """What has been seen so far."""

    failed: list[str] = field(default_factory=list)
    tests: Counter[str] = field(default_factory=Counter)


def main() -> int:
    """Run what the arguments ask for; 1 when anything failed."""
    parser = argparse.ArgumentParser(prog="scripts/test")
    parser.add_argument("--fast", action="store_true", help="without the slow tests")
    parser.add_argument("--second", metavar="PYTHON", help="run the fast tests on this Python too")
    options, chosen = parser.parse_known_args()
    started = time.monotonic()
    tally = Tally()
    run_static(tally, "format", [sys.executable, "-m", "ruff", "format", "--check", "."])
    run_static(tally, "lint", [sys.executable, "-m", "ruff", "check", "."])
    run_static(tally, "types", [sys.executable, "-m", "mypy"])
    run_static(tally, "import contracts", [str(BIN / "lint-imports"), "--no-cache"])
    if chosen:
        quick = ["-m", "not slow"] if options.fast else []
        run_tests(tally, "tests", [*PYTEST, *quick, *chosen])
    else:
        run_tests(tally, "tests", [*PYTEST, "-n", str(WORKERS), "-m", "not slow"])
        if not options.fast:
            run_slow(tally, options.second)
    return close(tally, time.monotonic() - started)


def close(tally: Tally, seconds: float) -> int:
    """The last two lines, and the exit status."""
    print(f"\nFAILED: {', '.join(tally.failed)}" if tally.failed else "\nevery check passed")
    names = {"error": "error" if tally.tests["error"] == 1 else "errors"}
    counts = [f"{tally.tests[kind]} {names.get(kind, kind)}" for kind in COUNTED if tally.tests[kind]]
    print(f"===== {', '.join(counts) or 'no tests ran'} in {seconds:.2f}s =====", flush=True)
    return 1 if tally.failed else 0


def run_slow(tally: Tally, second: str | None) -> None:
    """The slow tests, and beside them the fast ones on the `second` Python, if there is one."""
    slow = [*PYTEST, "-n", str(WORKERS), "--dist", "loadgroup", "-m", "slow"]
    with ThreadPoolExecutor(1) as pool:
        again = pool.submit(gather, [second, *PYTEST[1:], *SECOND]) if second else None
        run_tests(tally, "slow tests", slow)
        if again is not None:
            run = again.result()
            print("--- fast tests on Python 3.11", flush=True)
            show(run.said)
            report(tally, "fast tests on Python 3.11", run, count=("failed", "error"))


def run_static(tally: Tally, name: str, command: list[str]) -> None:
    """A check that has nothing to say when all is well."""
    print(f"--- {name}: ", end="", flush=True)
    started = time.monotonic()
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    end(tally, name, time.monotonic() - started, ok=run.returncode == 0)
    if run.returncode:
        print(run.stdout.rstrip(), flush=True)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of pytest that has ended."""

    status: int
    seconds: float
    said: bytes


def run_tests(tally: Tally, name: str, command: list[str]) -> None:
    """One run of pytest, shown as it goes."""
    print(f"--- {name}", flush=True)
    report(tally, name, gather(command, show))


def show(chunk: bytes) -> None:
    sys.stdout.buffer.write(chunk)
    sys.stdout.flush()


def gather(command: list[str], tell: Callable[[bytes], None] | None = None) -> Run:
    """Run it to its end; what it says goes to `tell` as it comes, else it is kept with the rest."""
    started = time.monotonic()
    nice = [] if tell else ["nice", "-n", "19"]
    process = subprocess.Popen([*nice, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    said = bytearray()
    while chunk := os.read(process.stdout.fileno(), 65536):
        said += chunk
        if tell:
            tell(chunk)
    return Run(process.wait(), time.monotonic() - started, bytes(said))


def report(tally: Tally, name: str, run: Run, count: tuple[str, ...] = COUNTED) -> None:
    """Its closing line; the kinds in `count` join the totals."""
    counts = read_counts(run.said.decode(errors="replace"))
    if run.status not in {0, 1, NO_TESTS} and not counts["failed"] + counts["error"]:
        counts["error"] += 1  # pytest itself failed: the last line must not look like a success
    tally.tests.update({kind: number for kind, number in counts.items() if kind in count})
    print(f"--- {name}: ", end="")
    end(tally, name, run.seconds, ok=run.status in {0, NO_TESTS})


def read_counts(output: str) -> Counter[str]:
    """The numbers of pytest's closing line ("3 failed, 20 passed in 1.20s"); none when there is no such line."""
    for line in reversed(output.splitlines()):
        if re.search(r"\bin \d+\.\d+s", line):
            found = re.findall(r"(\d+) (failed|passed|skipped|xfailed|xpassed|error)", line)
            return Counter({kind: int(number) for number, kind in found})
    return Counter()


def end(tally: Tally, name: str, seconds: float, *, ok: bool) -> None:
    print(f"{'ok' if ok else 'FAILED'}, {seconds:.1f} s", flush=True)
    if not ok:
        tally.failed.append(name)


if __name__ == "__main__":
    raise SystemExit(main())
