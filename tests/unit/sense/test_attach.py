"""The sensors of `watch` one by one, on processes that the test starts."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attach_support import setup

from agentguard.errors import SensorError
from agentguard.model.observation import ExecObservation, FileObservation, GapObservation, GapType, Observation
from agentguard.sense.attach import tree_watch
from agentguard.sense.attach.fanotify import FanotifySensor
from agentguard.sense.attach.fanotify_abi import Group
from agentguard.sense.attach.lease import LeaseSensor
from agentguard.sense.attach.members import Members
from agentguard.sense.attach.told import Told
from agentguard.sense.attach.tree_watch import TreeSetup, TreeWatch
from agentguard.sense.open_scan import OpenScan

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
ORPHAN = "(setsid sh -c 'sleep 0.6; exec sleep 20.125' & sleep 0.4)"
"""Its parent lives long enough to be found by looking, and no longer."""


@pytest.fixture
def root() -> Iterator[subprocess.Popen[str]]:
    """A shell that runs what it is told. It outlives nothing."""
    process = subprocess.Popen(["sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    yield process
    process.kill()
    process.wait()


def tell(process: subprocess.Popen[str], line: str) -> None:
    """Run a line in the shell, and wait for it."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{line}\necho done\n")
    process.stdin.flush()
    assert process.stdout.readline() == "done\n"


def eventually(holds: Callable[[], object], seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.01)
    return bool(holds())


@pytest.mark.parametrize("told", ["by the kernel", "by looking"])
def test_a_process_that_outlives_its_parents_stays_in_the_tree(
    root: subprocess.Popen[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if told == "by looking":

        def refused() -> None:
            raise SensorError("not here")

        monkeypatch.setattr(tree_watch, "Connector", refused)
    seen: list[Observation] = []
    tree = TreeWatch(TreeSetup(root_pid=root.pid, emit=seen.append, clock=time.time_ns))
    tree.start()
    if told == "by the kernel" and not tree.proved.wait(2):
        tree.stop()
        pytest.skip(tree.coverage().reason)
    orphan = 0
    try:
        time.sleep(0.15)
        tell(root, ORPHAN)

        def started() -> list[int]:
            execs = [one for one in seen if isinstance(one, ExecObservation)]
            return [one.process.pid for one in execs if one.process.cmdline == ("sleep", "20.125")]

        assert eventually(started)
        orphan = started()[0]
        member = tree.members.admit(orphan, time.time_ns())
        assert member is not None
        snapshot = tree.members.snapshot(member)
        assert (snapshot.name, snapshot.ancestors[-1].pid) == ("sleep", root.pid)
        assert tree.members.admit(os.getpid(), time.time_ns()) is None, "we are none of it"
        root.kill()
        root.wait()
        assert not tree.has_ended(), "the orphan lives"
        os.kill(orphan, 9)
        assert eventually(tree.has_ended)
        orphan = 0
    finally:
        tree.stop()
        if orphan:
            os.kill(orphan, 9)


def test_a_pid_that_is_used_again_is_another_process(root: subprocess.Popen[str]) -> None:
    members = Members(root.pid, 1)
    child = members.forked(root.pid, os.getpid(), 2)  # as if it were ours
    assert child is not None
    child.start_time -= 1
    assert members.admit(os.getpid(), 3) is None, "another start time: another process"


def test_what_was_told_is_known_for_a_while() -> None:
    told = Told()
    told.note((1, 2), 10, 99, 1_000)
    assert told.knows((1, 2), 10, 99, 900)
    assert not told.knows((1, 2), 10, 99, 1_001)
    assert not told.knows((1, 2), 10, 98, 900), "another process under the same pid"
    assert told.anyone((1, 2), 900)
    assert not told.anyone((1, 3), 900)


def fanotify(given: tuple[Path, list[Observation]], root_pid: int, hold: float) -> FanotifySensor:
    folder, seen = given
    opened = setup(folder, seen, root_pid=root_pid, on_hold=lambda _: not time.sleep(hold))
    tree = TreeWatch(TreeSetup(root_pid=root_pid, emit=seen.append, clock=time.time_ns))
    tree.start()
    try:
        sensor = FanotifySensor(opened, tree)
    except SensorError as error:
        tree.stop()
        pytest.skip(str(error))
    sensor.start()
    return sensor


def test_an_identifier_that_hangs_does_not_hang_the_opener(
    tmp_path: Path, root: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentguard.sense.attach.fanotify.HOLD_SECONDS", 0.3)
    seen: list[Observation] = []
    sensor = fanotify((tmp_path, seen), root.pid, hold=3.0)
    try:
        began = time.monotonic()
        tell(root, f"cat {tmp_path}/.env > {tmp_path}/copy")
        assert time.monotonic() - began < 2.5
        assert (tmp_path / "copy").read_text() == "A=b\n"
        (gap,) = [one for one in seen if isinstance(one, GapObservation)]
        assert gap.type is GapType.EVENTS_LOST
        assert sensor.coverage().drops == 1
    finally:
        sensor.stop()


@pytest.mark.timed
def test_our_own_reads_go_through_while_something_is_held(tmp_path: Path, root: subprocess.Popen[str]) -> None:
    seen: list[Observation] = []
    sensor = fanotify((tmp_path, seen), root.pid, hold=0.5)
    try:
        reader = threading.Thread(target=tell, args=(root, f"cat {tmp_path}/.env > /dev/null"))
        reader.start()
        time.sleep(0.2)
        began = time.monotonic()
        assert (tmp_path / ".env").read_text() == "A=b\n"
        assert time.monotonic() - began < 0.2
        (tmp_path / "decoy").read_text()
        assert sensor.proved.wait(1)
        reader.join(5)
        (read,) = [one for one in seen if isinstance(one, FileObservation)]
        assert read.process is not None
        assert read.process.name == "cat"
    finally:
        sensor.stop()


def test_writing_is_no_reading(tmp_path: Path, root: subprocess.Popen[str]) -> None:
    seen: list[Observation] = []
    sensor = fanotify((tmp_path, seen), root.pid, hold=0.0)
    try:
        tell(root, f"echo C=d >> {tmp_path}/.env; echo E=f > {tmp_path}/.env.local; : <> {tmp_path}/.env")
        reads = [one for one in seen if isinstance(one, FileObservation)]
        assert [one.path for one in reads] == [str(tmp_path / ".env")], "the one that was opened for both"
    finally:
        sensor.stop()


def test_an_ordinary_user_is_told_what_is_missing() -> None:
    if os.getuid() == 0:
        pytest.skip("as root it is allowed")
    with pytest.raises(SensorError, match="root or CAP_SYS_ADMIN"):
        Group()


@pytest.mark.parametrize("known", [False, True])
def test_an_open_that_another_guard_accounts_for_late_is_not_told(
    tmp_path: Path, root: subprocess.Popen[str], known: bool
) -> None:
    """It is known a moment after inotify has told of the open."""
    told: list[Observation] = []
    asked: list[int] = []

    def seen(device: int, inode: int, since_ns: int) -> bool:
        asked.append(inode)
        return known and len(asked) > 1

    given = dataclasses.replace(setup(tmp_path, told, root_pid=root.pid), seen=seen)
    tree = TreeWatch(TreeSetup(root_pid=root.pid, emit=told.append, clock=time.time_ns))
    scan = OpenScan(given, tree, Told())
    tree.start()
    scan.start((str(tmp_path),))
    try:
        (tmp_path / ".env").read_text()
        assert eventually(lambda: len(asked) > 1)
    finally:
        scan.stop()
        tree.stop()
    gaps = [one.type for one in told if isinstance(one, GapObservation)]
    assert gaps == ([] if known else [GapType.UNATTRIBUTED_OPEN])


def test_a_lease_says_which_file_it_opens_itself(tmp_path: Path, root: subprocess.Popen[str]) -> None:
    """Another session's watches see it."""
    looks: list[tuple[int, int]] = []
    given = setup(tmp_path, [], root_pid=root.pid)
    given = dataclasses.replace(given, on_look=lambda *key: looks.append(key))
    tree = TreeWatch(TreeSetup(root_pid=root.pid, emit=lambda _: None, clock=time.time_ns))
    lease = LeaseSensor(given, tree, Told())
    lease.start()
    info = (tmp_path / ".env").stat()
    try:
        assert eventually(lambda: looks)
    finally:
        lease.stop()
    assert looks == [(info.st_dev, info.st_ino)]
