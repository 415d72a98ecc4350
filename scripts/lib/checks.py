"""Runs the checks one after the other, all of them, and says at the end what failed.

Started by scripts/test with the environment's Python. The static checks speak only when they fail; pytest is shown as
it runs. Tests wait for a good part of their time, so there are more of them at a time than processors.

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
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
PYTEST = [sys.executable, "-m", "pytest", "--continue-on-collection-errors"]
COUNTED = ("failed", "passed", "skipped", "xfailed", "xpassed", "error")
CORES = os.cpu_count() or 1
QUICK = ["-n", str(CORES + 1), "-m", "not slow"]
SLOW = ["-n", str(CORES + 2), "--dist", "loadgroup", "-m", "slow"]
SECOND = (
    "tests/unit/test_imports.py::test_every_module_can_be_imported",
    "tests/unit/detect/test_detect_engine.py",
    "tests/unit/judge/test_judge_load.py",
    "tests/unit/record/test_record_verify.py",
    "tests/unit/sense/test_proxy_messages.py",
    "tests/unit/sense/test_proxy_trust.py",
    "tests/unit/sense/test_proxy_upload.py",
    "tests/unit/sense/test_proxy_captured.py",
    "tests/e2e/test_proxy_blocking.py",
    "tests/e2e/test_proxy_memory.py::test_raw_connection",
    "tests/e2e/test_run_session.py::test_a_read_is_recorded_with_its_whole_chain",
    "tests/e2e/test_run_destinations.py::test_anyone_else_is_a_leak",
    "tests/tui/test_tui_command.py",
)
"""Again on the oldest Python: its syntax and library, as every module is imported; and what has other versions there,
mitmproxy with all that it stands on, the matching engines and SQLite. The rest is the same code over the same
libraries: to run all unit tests once more took two minutes."""
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
    parser.add_argument("--second", metavar="PYTHON", help="run some of the tests on this Python too")
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
        run_tests(tally, "tests", [*PYTEST, *QUICK])
        if not options.fast:
            run_tests(tally, "slow tests", [*PYTEST, *SLOW, *with_slow_tests()])
    if options.second:
        again = [options.second, *PYTEST[1:], "-n", str(CORES + 1), *SECOND]
        run_tests(tally, "tests on Python 3.11", again, count=("failed", "error"), may_be_none=False)
    return close(tally, time.monotonic() - started)


def with_slow_tests() -> list[str]:
    """The files that have any, by the mark in their text: each worker would read all others for nothing."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return [str(path.relative_to(ROOT)) for path in files if "mark.slow" in path.read_text(encoding="utf-8")]


def close(tally: Tally, seconds: float) -> int:
    """The last two lines, and the exit status."""
    print(f"\nFAILED: {', '.join(tally.failed)}" if tally.failed else "\nevery check passed")
    names = {"error": "error" if tally.tests["error"] == 1 else "errors"}
    counts = [f"{tally.tests[kind]} {names.get(kind, kind)}" for kind in COUNTED if tally.tests[kind]]
    print(f"===== {', '.join(counts) or 'no tests ran'} in {seconds:.2f}s =====", flush=True)
    return 1 if tally.failed else 0


def run_static(tally: Tally, name: str, command: list[str]) -> None:
    """A check that has nothing to say when all is well."""
    print(f"--- {name}: ", end="", flush=True)
    started = time.monotonic()
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    end(tally, name, time.monotonic() - started, ok=run.returncode == 0)
    if run.returncode:
        print(run.stdout.rstrip(), flush=True)


def run_tests(
    tally: Tally, name: str, command: list[str], count: tuple[str, ...] = COUNTED, *, may_be_none: bool = True
) -> None:
    """One run of pytest, shown as it goes; the kinds in `count` join the totals.

    With several workers pytest says of a file that is not there that no tests ran: where that is a failure,
    `may_be_none` is False.
    """
    print(f"--- {name}", flush=True)
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    said = bytearray()
    while chunk := os.read(process.stdout.fileno(), 65536):
        sys.stdout.buffer.write(chunk)
        sys.stdout.flush()
        said += chunk
    status = process.wait()
    counts = read_counts(said.decode(errors="replace"))
    well = {0, NO_TESTS} if may_be_none else {0}
    if status not in {1, *well} and not counts["failed"] + counts["error"]:
        counts["error"] += 1  # pytest itself failed: the last line must not look like a success
    tally.tests.update({kind: number for kind, number in counts.items() if kind in count})
    print(f"--- {name}: ", end="")
    end(tally, name, time.monotonic() - started, ok=status in well)


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
