"""What can tell who opened a file: nothing, the guard in its variants, and the tools that everyone knows.

Some are put before a command, some look at the whole system. What the latter are shown is limited to the bench's own
work: fatrace to a file system that holds nothing else (`bench_ground`), bpftrace to one process and its descendants.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bench_setting import Setting, guard

from agentguard.native.build import LIBRARIES, build, reason

LONGEST = 10.0
"""Seconds until a tool must have begun to look, or have ended."""

SIGN = "has-it-begun"
"""A file in the project. Once a tool has told of an open of it, it looks."""
Poke = Callable[[], object]

OPENED = re.compile(r"^(\d+) .*open\w*\(.*?\"([^\"]*)\"", re.MULTILINE)
"""In strace's output."""

BPFTRACE = """
BEGIN { @tree[$1] = 1; }
tracepoint:sched:sched_process_fork /@tree[args->parent_pid]/ { @tree[args->child_pid] = 1; }
tracepoint:sched:sched_process_exit /@tree[tid]/ { delete(@tree[tid]); }
tracepoint:syscalls:sys_enter_open, tracepoint:syscalls:sys_enter_openat
/@tree[tid]/ { printf("%d %s\\n", pid, str(args->filename)); }
END { clear(@tree); }
"""
"""What opensnoop does, for one process (its first argument) and its descendants only. (openat2 is left out: its layout
is another, and no work here uses it.)"""


@dataclass(frozen=True, slots=True)
class Report:
    """An open that a sensor told of."""

    pid: int
    path: str


class Sensor:
    """No sensor at all; the others are told apart by what they override."""

    name = "none"
    needs: ClassVar[str] = ""
    only_project: ClassVar[bool] = False
    """It is shown the opens in the project only."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    def missing(self) -> str:
        """Why it cannot be used here; nothing when it can."""
        return ""

    def words(self, output: Path) -> list[str]:  # noqa: ARG002
        """What is put before the worker's command; what it tells goes to `output`, if not to a place of its own."""
        return []

    @contextmanager
    def looking(self, pid: int, project: Path, output: Path, poke: Poke) -> Iterator[None]:  # noqa: ARG002
        """Look at the worker from outside, for as long as this is entered. `poke` makes it open the file `SIGN`."""
        yield

    def reports(self, output: Path) -> list[Report]:  # noqa: ARG002
        """What was told of the last worker, once it has ended."""
        return []


class Guard(Sensor):
    """`agentguard run`, with those of its native parts that are named.

    An environment of its own holds them: what is not compiled there is not used.
    """

    needs = "nothing"

    def __init__(self, setting: Setting, name: str, kinds: tuple[str, ...]) -> None:
        super().__init__(setting)
        self.name = name
        self._kinds = kinds
        self._place = setting.base / f"environment-{'-'.join(kinds) or 'python'}"
        self._home = f"home-{self._place.name}"

    def missing(self) -> str:
        """Makes the environment on the way."""
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self._place], check=True)
        names = {"base": str(self._place), "platbase": str(self._place)}
        packages = Path(sysconfig.get_path("purelib", "venv", names))
        (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
        for kind in self._kinds:
            try:
                build(kind, self._place / "lib" / "agentguard")
            except (OSError, subprocess.SubprocessError) as error:
                return f"its {kind} was not compiled ({reason(error)})"
        return ""

    def words(self, output: Path) -> list[str]:  # noqa: ARG002
        home = self._setting.environ(self._home)["AGENTGUARD_HOME"]
        return ["env", f"AGENTGUARD_HOME={home}", *guard(python=str(self._place / "bin" / "python"))]

    def reports(self, output: Path) -> list[Report]:  # noqa: ARG002
        words = [sys.executable, "-m", "agentguard", "events", "--session", "last", "--kind", "file"]
        env = self._setting.environ(self._home)
        told = subprocess.run([*words, "--format", "jsonl"], env=env, capture_output=True, text=True, check=True)
        events = [json.loads(line) for line in told.stdout.splitlines()]
        return [Report(event["process"]["pid"], event["path"]) for event in events if event["process"]]


class Strace(Sensor):
    name = "strace -f"
    needs = "nothing"

    def missing(self) -> str:
        return "" if shutil.which("strace") else "not installed (Debian: strace)"

    def words(self, output: Path) -> list[str]:
        return ["strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=open,openat,openat2,execve", "-o", str(output)]

    def reports(self, output: Path) -> list[Report]:
        found = OPENED.findall(output.read_text(errors="replace"))
        return [Report(int(pid), path) for pid, path in found]


class Tool(Sensor):
    """A program that looks at the system from outside."""

    needs = "root"
    package: ClassVar[str]

    def missing(self) -> str:
        if not shutil.which(self.package):
            return f"not installed (Debian: {self.package})"
        return "needs root" if os.geteuid() else ""

    def command(self, pid: int, output: Path) -> list[str]:
        raise NotImplementedError

    @contextmanager
    def looking(self, pid: int, project: Path, output: Path, poke: Poke) -> Iterator[None]:
        output.unlink(missing_ok=True)
        (project / SIGN).touch()
        words = self.command(pid, output)
        null = subprocess.DEVNULL
        with subprocess.Popen(words, cwd=project, stdin=null, stdout=null, stderr=null) as tool:
            try:
                self._await_sign(tool, output, poke, 0)
                yield
                self._await_sign(tool, output, poke, output.read_bytes().count(SIGN.encode()))  # it may lag behind
            finally:
                tool.send_signal(signal.SIGINT)
                try:
                    tool.wait(LONGEST)
                except subprocess.TimeoutExpired:
                    tool.kill()

    def _await_sign(self, tool: subprocess.Popen[bytes], output: Path, poke: Poke, told: int) -> None:
        """Until it has told of one open more of the file `SIGN` than before."""
        until = time.monotonic() + LONGEST
        while not (output.exists() and output.read_bytes().count(SIGN.encode()) > told):
            if tool.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{self.name} does not look, or no longer")
            poke()
            time.sleep(0.05)


class Fatrace(Tool):
    name = package = "fatrace"
    only_project = True

    def __init__(self, setting: Setting, why_not: str) -> None:
        """`why_not`: why the bench has no file system of its own; nothing when it has."""
        super().__init__(setting)
        self._why_not = why_not

    def missing(self) -> str:
        return super().missing() or self._why_not

    def command(self, pid: int, output: Path) -> list[str]:  # noqa: ARG002
        return ["fatrace", "--current-mount", "--filter=O", "--output", str(output)]

    def reports(self, output: Path) -> list[Report]:
        # RCO: what a process did with a file in close succession is one event
        found = re.findall(r"\((\d+)\): [RCW<>+D]*O\S* +(.*)$", output.read_text(errors="replace"), re.MULTILINE)
        return [Report(int(pid), path) for pid, path in found]


class Bpftrace(Tool):
    name = package = "bpftrace"

    def missing(self) -> str:
        if why := super().missing():
            return why
        base = self._setting.base
        try:
            with self.looking(os.getpid(), base, base / "tried", (base / SIGN).read_bytes):
                return ""
        except RuntimeError:
            return "this kernel does not let it trace"

    def command(self, pid: int, output: Path) -> list[str]:
        return ["bpftrace", "-o", str(output), "-e", BPFTRACE, str(pid)]

    def reports(self, output: Path) -> list[Report]:
        lines = (line.partition(" ") for line in output.read_text(errors="replace").splitlines())
        return [Report(int(pid), path) for pid, _, path in lines if pid.isdigit()]


def sensors(setting: Setting, why_no_ground: str) -> tuple[list[Sensor], list[str]]:
    """Those that can be used, `none` and the best of ours first; and why the others cannot.

    A quick run leaves out our lesser variants and what takes seconds to start.
    """
    guards = [
        Guard(setting, "agentguard", tuple(LIBRARIES)),
        Guard(setting, "native loop, no gate", ("loop",)),
        Guard(setting, "Python loop", ()),
    ]
    tools = [Strace(setting), Fatrace(setting, why_no_ground), *([] if setting.quick else [Bpftrace(setting)])]
    usable, notes = [Sensor(setting)], []
    for sensor in [*guards, *tools]:
        if setting.quick and sensor in guards[1:] and len(usable) > 1:
            continue
        if why := sensor.missing():
            notes.append(f"{sensor.name}: {why}")
        else:
            usable.append(sensor)
    return usable, notes
