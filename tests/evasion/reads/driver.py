"""The agent of these sessions: starts each way as a process of its own, one after the other.

    python driver.py PLAN      a JSON list of {"id", "script", "folder", "pids", "out", "err", "standard_input"}

It opens nothing secret itself, and takes no notice of how a way ends: what was printed decides.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

PATIENCE_SECONDS = 30
SETTLE_SECONDS = 1.5
"""The folder watch tells of an open, and the index of a new file, a moment later."""


def main() -> None:
    for way in json.loads(Path(sys.argv[1]).read_text()):
        environ = {**os.environ, "WAY": way["folder"], "PIDS": way["pids"]}
        with (
            open(way["out"], "wb") as out,
            open(way["err"], "wb") as errors,
            contextlib.suppress(subprocess.TimeoutExpired),
        ):
            subprocess.run(
                ["sh", "-c", way["script"]],
                cwd=way["folder"],
                env=environ,
                stdin=None if way["standard_input"] else subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                timeout=PATIENCE_SECONDS,
                check=False,
            )
    time.sleep(SETTLE_SECONDS)


if __name__ == "__main__":
    main()
