"""One session on a network of its own: the servers, the guarded driver in their midst, then what arrived.

    python -m evasion.sends.stage PLAN      what came of it is printed as JSON

A process of its own: what it does to its network and its name services ends with it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from evasion.sends.received import Received
from evasion.sends.table import BY_ID
from evasion.sends.world import outside_world

SESSION_SECONDS = 300
ARRIVAL_SECONDS = 2.0
"""What was sent last may still be on its way through a server's thread."""


def main() -> None:
    plan = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(plan["world"])
    values: dict[str, bytes] = {id: value.encode() for id, value in plan["values"].items()}
    named = {id: BY_ID[id].named for id in values}
    names = tuple(made(values[id]) for id, made in named.items() if made)
    received = Received()
    with outside_world(folder, received, names) as options:
        at = plan["command"].index("--")
        session = subprocess.run(
            [*plan["command"][:at], *options, *plan["command"][at:]],
            env=dict(os.environ),
            cwd=plan["cwd"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SESSION_SECONDS,
            check=False,
        )
        arrived = _settled(folder, received, values)
    print(json.dumps({"status": session.returncode, "errors": session.stderr, "arrived": arrived}))


def _settled(folder: Path, received: Received, values: dict[str, bytes]) -> list[str]:
    end = time.monotonic() + ARRIVAL_SECONDS
    while True:
        arrived = [id for id, value in values.items() if _arrived(folder, received, id, value)]
        missing = [id for id in values if id not in arrived and not BY_ID[id].stopped]
        if not missing or time.monotonic() > end:
            return arrived
        time.sleep(0.1)


def _arrived(folder: Path, received: Received, id: str, value: bytes) -> bool:
    way: Any = BY_ID[id]
    if way.shown_by:
        done = subprocess.run(["sh", "-c", way.shown_by], cwd=folder, capture_output=True, check=False)
        return value in done.stdout
    if way.opened:
        return received.holds_opened(f"/{id}", value, way.opened)
    return received.holds(way.arrives(value))


if __name__ == "__main__":
    main()
