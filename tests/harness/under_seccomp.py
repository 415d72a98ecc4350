"""Runs a command under the seccomp sensor alone and prints what it saw, one JSON object a line.

    python under_seccomp.py SECRET[,SECRET...] COMMAND ARGS...

A process of its own: the sensor needs to be an ancestor and a subreaper, which a test runner must not become.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentguard.birth import birth_time_ns
from agentguard.launch.channel import Channel
from agentguard.model.observation import FileObservation, Observation
from agentguard.model.secret import NameFilter, SecretFile
from agentguard.sense.seccomp import native
from agentguard.sense.seccomp.abi import PR_SET_CHILD_SUBREAPER, machine
from agentguard.sense.seccomp.handlers import SeccompSetup
from agentguard.sense.seccomp.install import install_filter
from agentguard.sense.seccomp.keeper import shared_notification
from agentguard.sense.seccomp.libc import prctl
from agentguard.sense.seccomp.sensor import SeccompSensor
from agentguard.sense.watch_table import WatchTable


@dataclass(frozen=True)
class Pattern:
    id: str = "dotenv"
    expected_readers: tuple[str, ...] = ()
    agent: str = ""


class Table:
    """The real table belongs to another stage; this is the least that keeps its contract."""

    def __init__(self, paths: list[str]) -> None:
        self._files: dict[tuple[int, int], SecretFile] = {}
        self._follower: WatchTable | None = None
        for path in paths:
            info = Path(path).stat()
            born = birth_time_ns(path)
            self.add(SecretFile(path=path, device=info.st_dev, inode=info.st_ino, birth_time_ns=born))

    def lookup(self, device: int, inode: int) -> SecretFile | None:
        return self._files.get((device, inode))

    def known_name(self, name: str) -> bool:
        return False

    def match_name(self, path: str) -> Pattern | None:
        return Pattern() if path.rpartition("/")[2] == ".env.late" else None

    def add(self, file: SecretFile) -> bool:
        self._files[(file.device, file.inode)] = file
        if self._follower is not None:
            self._follower.added(file)
        return True

    def discard(self, device: int, inode: int) -> None:
        self._files.pop((device, inode), None)

    def name_filter(self) -> NameFilter:
        return NameFilter(names=(b".env.late",))

    def watched(self) -> WatchTable:
        """As C reads it."""
        with tempfile.TemporaryDirectory() as folder:
            self._follower = WatchTable(Path(folder) / "table", self.name_filter())
        for file in self.files():
            self._follower.added(file)
        return self._follower

    def directories(self) -> tuple[str, ...]:
        return ()

    def files(self) -> tuple[SecretFile, ...]:
        return tuple(self._files.values())


class UnavailableError(Exception):
    """The filter cannot be put on; holds the errno."""


def filtered_child(command: list[str]) -> tuple[int, Channel, int]:
    """Its pid, the channel by which it is told to go, and the listener."""
    ours, theirs = Channel.pair()
    child = os.fork()
    if child == 0:
        ours.close()
        for name in ("LD_PRELOAD", "ASAN_OPTIONS", "UBSAN_OPTIONS"):
            os.environ.pop(name, None)
        try:
            listener = install_filter()
        except OSError as error:
            theirs.send({"errno": error.errno})
            os._exit(99)
        theirs.send({"ok": True}, (listener,))
        os.close(listener)
        theirs.receive()
        os.execvp(command[0], command)
    theirs.close()
    answer = ours.receive()
    assert answer
    if not answer[1]:
        raise UnavailableError(answer[0]["errno"])
    return child, ours, answer[1][0]


def use_library() -> None:
    """A test may bring its own native loop."""
    path = os.environ.get("HARNESS_LIBRARY")
    if path:
        native.find_library = lambda _kind: Path(path)


def main() -> int:
    secrets, command = sys.argv[1].split(","), sys.argv[2:]
    use_library()
    out = os.fdopen(os.dup(1), "w")
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    here = machine()
    assert here
    try:
        child, go, listener = filtered_child(command)
    except UnavailableError as error:
        print(json.dumps({"unavailable": error.args[0]}), file=out)
        return 99
    seen: list[Observation] = []
    table = Table(secrets)
    sensor = SeccompSensor(
        SeccompSetup(
            machine=here,
            listener=listener,
            shared=shared_notification(),
            table=table.watched(),
            root_pid=child,
            files=table,
            decoy=(0, 0),
            proxy_port=lambda: 0,
            emit=seen.append,
            on_change=lambda _path: None,
            on_hold=lambda _: True,
            clock=time.time_ns,
        )
    )
    before = len(os.listdir("/proc/self/fd"))
    sensor.start()
    go.send({"go": True})
    status = 0
    while True:
        try:
            pid, code = os.wait()
        except ChildProcessError:
            break
        if pid == child:
            status = os.waitstatus_to_exitcode(code)
    sensor.tree_ended.wait(5)
    leaked = len(os.listdir("/proc/self/fd")) - before
    print(json.dumps({"type": "loop", "loop": sensor.coverage().reason, "leaked": leaked}), file=out)
    for observation in seen:
        print(json.dumps(_plain(observation)), file=out)
    return status if status >= 0 else 128 - status


def _plain(observation: Observation) -> dict[str, Any]:
    process = observation.process
    plain: dict[str, Any] = {"type": type(observation).__name__.removesuffix("Observation").lower()}
    if process is not None:
        plain |= {
            "pid": process.pid,
            "name": process.name,
            "cmdline": [part.encode("utf-8", "backslashreplace").decode() for part in process.cmdline],
            "ancestors": [[ancestor.pid, ancestor.name] for ancestor in process.ancestors],
        }
    if isinstance(observation, FileObservation):
        plain |= {
            "path": observation.path.encode("utf-8", "backslashreplace").decode(),
            "opened_as": observation.opened_as.encode("utf-8", "backslashreplace").decode(),
        }
    for name in ("address", "port", "transport", "detail", "privileged"):
        if hasattr(observation, name):
            plain[name] = getattr(observation, name)
    if hasattr(observation, "type"):
        plain["gap"] = observation.type
    if hasattr(observation, "environ"):
        plain["environ"] = observation.environ is not None and len(observation.environ)
    return plain


if __name__ == "__main__":
    raise SystemExit(main())
