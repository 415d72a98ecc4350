"""Runs each line of its standard input as a shell script, and answers with the seconds it took."""

from __future__ import annotations

import subprocess
import sys
import time


def main() -> None:
    for line in sys.stdin:
        before = time.perf_counter()
        subprocess.run(["sh", "-c", line], stdout=subprocess.DEVNULL, check=True)
        print(time.perf_counter() - before, flush=True)


if __name__ == "__main__":
    main()
