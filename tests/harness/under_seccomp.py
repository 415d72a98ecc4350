"""Runs a command under the seccomp sensor alone and prints what it saw, one JSON object a line.

    python under_seccomp.py [--gate FOLDER] SECRET[,SECRET...] COMMAND ARGS...

With --gate the command runs behind a gate that is made in that folder. A line of type "gate" then says whether it was
proved. A file that appears at FOLDER/more, in which a path is written, is taken as a further secret.

A process of its own: the sensor needs to be an ancestor and a subreaper, which a test runner must not become.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentguard.birth import birth_time_ns
from agentguard.launch.channel import Channel
from agentguard.model.observation import FileObservation, LookupObservation, Observation
from agentguard.model.secret import NameFilter, SecretFile
from agentguard.sense.seccomp import native
from agentguard.sense.seccomp.abi import PR_SET_CHILD_SUBREAPER, machine
from agentguard.sense.seccomp.gate import Gate, SessionGate
from agentguard.sense.seccomp.gate_proof import prove_gate
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
            self.enter(path)

    def enter(self, path: str) -> None:
        info = Path(path).stat()
        self.add(SecretFile(path=path, device=info.st_dev, inode=info.st_ino, birth_time_ns=birth_time_ns(path)))

    def lookup(self, device: int, inode: int) -> SecretFile | None:
        return self._files.get((device, inode))

    def known_name(self, name: str) -> bool:
        return False

    def known_path(self, path: str) -> bool:
        return False

    def match_name(self, path: str) -> Pattern | None:
        return Pattern() if path.rpartition("/")[2].encode() in self.name_filter().names else None

    def add(self, file: SecretFile) -> bool:
        self._files[(file.device, file.inode)] = file
        if self._follower is not None:
            self._follower.added(file)
        return True

    def discard(self, device: int, inode: int) -> None:
        self._files.pop((device, inode), None)

    def name_filter(self) -> NameFilter:
        return NameFilter(names=(b".env.late", b".env.harmless"))

    def watched(self, folder: Path) -> WatchTable:
        """As C reads it."""
        self._follower = WatchTable(folder / "table", self.name_filter())
        for file in self.files():
            self._follower.added(file)
        return self._follower

    def directories(self) -> tuple[str, ...]:
        return ()

    def files(self) -> tuple[SecretFile, ...]:
        return tuple(self._files.values())


class UnavailableError(Exception):
    """The filter cannot be put on; holds the errno."""


def filtered_child(command: list[str], gate: Gate | None = None) -> tuple[int, Channel, int]:
    """Its pid, the channel by which it is told to go, and the listener."""
    ours, theirs = Channel.pair()
    child = os.fork()
    if child == 0:
        ours.close()
        if "HARNESS_LIBRARY" in os.environ:
            for name in ("LD_PRELOAD", "ASAN_OPTIONS", "UBSAN_OPTIONS"):
                os.environ.pop(name, None)
        try:
            install_filter(gate.call if gate else None, lambda listener: theirs.send({"ok": True}, (listener,)))
        except OSError as error:
            theirs.send({"errno": error.errno})
            os._exit(99)
        theirs.receive()
        os.execvpe(command[0], command, _environment(gate))
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
    native.QUEUE_BYTES = int(os.environ.get("HARNESS_QUEUE", native.QUEUE_BYTES))
    native.PATIENCE_NS = 50_000_000


def main() -> int:
    if sys.argv[1] != "--gate":
        with tempfile.TemporaryDirectory() as scratch:
            return under_seccomp(sys.argv[1], sys.argv[2:], Path(scratch), gated=False)
    return under_seccomp(sys.argv[3], sys.argv[4:], Path(sys.argv[2]), gated=True)


def under_seccomp(secrets: str, command: list[str], folder: Path, *, gated: bool) -> int:
    files = Table(secrets.split(","))
    table = files.watched(folder)
    gate = SessionGate(folder, table).gate if gated else None
    use_library()
    out = os.fdopen(os.dup(1), "w")
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    here = machine()
    assert here
    try:
        child, go, listener = filtered_child(command, gate)
    except UnavailableError as error:
        print(json.dumps({"unavailable": error.args[0]}), file=out)
        return 99
    seen: list[Observation] = []
    sensor = SeccompSensor(
        SeccompSetup(
            machine=here,
            listener=listener,
            shared=shared_notification(),
            table=table,
            gate_decoy=gate.decoy_key if gate else None,
            root_pid=child,
            files=files,
            decoy=(0, 0),
            proxy_port=lambda: 0,
            emit=seen.append,
            on_change=lambda _path: None,
            on_hold=_holds_secret,
            clock=time.time_ns,
        )
    )
    before = len(os.listdir("/proc/self/fd"))
    sensor.start()
    go.send({"go": True})
    if gated:
        threading.Thread(target=_take_more, args=(folder, files), daemon=True).start()
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
    print(json.dumps({"type": "table", "paths": [file.path for file in files.files()]}), file=out)
    print(json.dumps({"type": "gate", "proved": sensor.gate_proved.is_set()}), file=out)
    for observation in seen:
        print(json.dumps(_plain(observation)), file=out)
    return status if status >= 0 else 128 - status


def _holds_secret(observation: FileObservation) -> bool:
    time.sleep(float(os.environ.get("HARNESS_HOLD", "0")))
    return not observation.path.endswith(".env.harmless")


def _environment(gate: Gate | None) -> dict[str, str]:
    environ = dict(os.environ)
    if gate and prove_gate(gate.library, gate.ordinary, gate.decoy):
        environ |= gate.environment(environ)
    return environ


def _take_more(folder: Path, files: Table) -> None:
    asked = folder / "more"
    while True:
        if asked.exists():
            files.enter(asked.read_text())
            asked.rename(folder / "taken")
        time.sleep(0.005)


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
    if isinstance(observation, LookupObservation):
        plain["message"] = observation.message.hex()
    if hasattr(observation, "type"):
        plain["gap"] = observation.type
    if hasattr(observation, "environ"):
        plain["environ"] = observation.environ is not None and len(observation.environ)
    return plain


if __name__ == "__main__":
    raise SystemExit(main())
