"""The agent of these sessions: starts each way as a process of its own, AT_ONCE of them at a time.

    python driver.py PLAN AT_ONCE

PLAN is a JSON list of {"script", "folder", "environ", "out", "err", "standard_input"}.

It opens nothing secret itself, and takes no notice of how a way ends: what was printed, or what arrived, decides.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 30
SETTLE_SECONDS = 1.5
"""The folder watch tells of an open, and the index of a new file, a moment later."""


def main() -> None:
    plan, at_once = json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2])
    with ThreadPoolExecutor(at_once) as ways:
        list(ways.map(_run, plan))
    time.sleep(SETTLE_SECONDS)


def _run(way: dict[str, Any]) -> None:
    with (
        open(way["out"], "wb") as out,
        open(way["err"], "wb") as errors,
        contextlib.suppress(subprocess.TimeoutExpired),
    ):
        subprocess.run(
            ["sh", "-c", way["script"]],
            cwd=way["folder"],
            env={**os.environ, **way["environ"]},
            stdin=None if way["standard_input"] else subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
            timeout=PATIENCE_SECONDS,
            check=False,
        )


if __name__ == "__main__":
    main()
