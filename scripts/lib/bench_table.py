"""The table of `bench files`, as text or as markdown."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench_sensors import Sensor
from bench_workloads import Workload

PROGRAMS = ("git", "grep", "rg", "node", "strace", "bpftrace")
"""Those that say which version they are."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Shares of reads told of, and told of with the right pid: one after the other, and eight at once."""

    sequential: tuple[float, float]
    parallel: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows are work, columns are sensors."""

    sensors: list[Sensor]
    work: list[Workload]
    seconds: dict[tuple[str, str], list[float]]
    """By workload and sensor."""
    seen: dict[str, Seen]
    notes: list[str]
    rounds: int

    def text(self, *, markdown: bool) -> str:
        """All of it, with what is needed to read it."""
        rows = self._rows()
        lines = _markdown(rows) if markdown else _aligned(rows)
        mark = "- " if markdown else "  "
        return "\n".join(["", *lines, "", *(mark + line for line in self._footer())])

    def _rows(self) -> list[list[str]]:
        names = [sensor.name for sensor in self.sensors]
        rows = [["", *names], ["needs", *(sensor.needs or "–" for sensor in self.sensors)]]
        rows.append(["reads seen, one by one / 8 at once", *(self._share(name, 0) for name in names)])
        rows.append(["… with the right pid", *(self._share(name, 1) for name in names)])
        for workload in self.work:
            rows.append([workload.name, *(self._time(workload, sensor) for sensor in self.sensors)])
        for workload in self.work:
            if workload.opens:
                kind = workload.name.partition(", ")[2]
                rows.append([f"µs more for each open, {kind}", *(self._per_open(workload, name) for name in names)])
        return rows

    def _share(self, name: str, which: int) -> str:
        if name not in self.seen:
            return "–"
        seen = self.seen[name]
        return f"{seen.sequential[which] * 100:.4g} / {seen.parallel[which] * 100:.4g} %"

    def _time(self, workload: Workload, sensor: Sensor) -> str:
        """Milliseconds without a sensor; else the ratio to that. ± is the median deviation from the median."""
        if sensor.only_project and workload.elsewhere:
            return "–"
        plain = self._median(workload.name, self.sensors[0].name)
        times = self.seconds[workload.name, sensor.name]
        middle = statistics.median(times)
        spread = statistics.median(abs(time - middle) for time in times)
        if sensor is self.sensors[0]:
            return f"{middle * 1000:.0f} ±{spread * 1000:.0f} ms"
        return f"{middle / plain:.2f} ±{spread / plain:.2f}×"

    def _per_open(self, workload: Workload, name: str) -> str:
        plain = self._median(workload.name, self.sensors[0].name)
        if name == self.sensors[0].name:
            return f"({plain / workload.opens * 1e6:.2f} in all)"
        return f"{(self._median(workload.name, name) - plain) / workload.opens * 1e6:.2f}"

    def _median(self, workload: str, name: str) -> float:
        return statistics.median(self.seconds[workload, name])

    def _footer(self) -> list[str]:
        notes = [
            f"Medians of {self.rounds} interleaved rounds (of a third of them where a file is opened again and again); "
            "the first column is the time without a sensor, the others are ratios to it. "
            "± is the median deviation from the median.",
        ]
        if any(sensor.only_project for sensor in self.sensors):
            notes.append(
                "fatrace is shown the bench's own file system only, bpftrace the worker's processes only; where most "
                "files that are opened are the system's, fatrace has no figure."
            )
        return [*notes, *(f"Left out: {note}." for note in self.notes), _machine()]


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]


def _markdown(rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [lines[0], "|---" * len(rows[0]) + "|", *lines[1:]]


def _machine() -> str:
    processor = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    kind = processor[1] if processor else platform.machine()
    cores = len(os.sched_getaffinity(0))
    user = "root" if os.geteuid() == 0 else "an ordinary user"
    versions = [f"Python {platform.python_version()}", *filter(None, map(_version, PROGRAMS))]
    load = os.getloadavg()[0]
    system = f"{kind}, {cores} cores, Linux {platform.release()}, as {user}, load {load:.1f} at the end"
    return f"{system}; {', '.join(versions)}."


def _version(program: str) -> str:
    try:
        told = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
    except OSError:
        return ""
    number = re.search(r"\d+(\.\d+)+", told.stdout)
    return f"{program} {number[0]}" if number else ""
