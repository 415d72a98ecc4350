"""Runs one workload a line read from standard input, and answers with its seconds."""

from __future__ import annotations

import subprocess
import sys
import time

SCRIPTS = {
    "git status": "git status --porcelain",
    "grep -r 20k files": "grep -rc --exclude-dir=.git nothing-like-this . ; true",
    "python start": "$PYTHON -c 'import argparse, json, ssl, asyncio, sqlite3, email.message, http.client'",
    "node start": "node -e 'require(\"https\")'",
    "200 fork+exec": "i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done",
}


def main() -> None:
    for line in sys.stdin:
        before = time.perf_counter()
        script = SCRIPTS[line.strip()].replace("$PYTHON", sys.executable)
        subprocess.run(["sh", "-c", script], stdout=subprocess.DEVNULL, check=True)
        print(time.perf_counter() - before, flush=True)


if __name__ == "__main__":
    main()
