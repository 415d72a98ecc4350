"""How long a start takes: until the agent's first instruction, and until `--help` has answered."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from bench_setting import REPOSITORY, Setting, guard


def bench_start(setting: Setting) -> None:
    """Print medians and the worst."""
    env = setting.environ()
    project = setting.base / "empty"
    project.mkdir()
    clock = "import time; print(time.monotonic())"
    agentguard = REPOSITORY / "scripts" / "agentguard"
    started, helped = [], []
    for number in range(setting.rounds + 1):
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
