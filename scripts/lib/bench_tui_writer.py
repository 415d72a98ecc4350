"""Writes events at a steady pace, each with its time of birth in its name: `bench_tui_writer.py HOME RATE SECONDS`."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import bench_tui_ground

from agentguard.config import open_home
from agentguard.model.finding import Activity
from agentguard.record.writer import Writer


def main() -> None:
    """One writer, as a supervisor has it."""
    home, rate, seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    writer = Writer(open_home(home))
    writer.start()
    session = bench_tui_ground.running_session(time.time_ns())
    _, verdict = next(bench_tui_ground.script(session))
    began = time.monotonic()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        where = f"https://mark{time.monotonic_ns() // 1000}.example/"
        event = bench_tui_ground.finding(session, number, Activity.SEND, where)
        writer.append(replace(event, uid=f"mark-{number}-{time.monotonic_ns()}", time_ns=time.time_ns()), verdict)
    writer.close()


if __name__ == "__main__":
    main()
