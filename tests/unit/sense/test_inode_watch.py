"""The watch on secret inodes and the cross-check behind it, on real files, real processes and the real inotify."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agentguard.detect.files import FilePatterns
from agentguard.detect.secret_table import SecretTable
from agentguard.model.observation import GapObservation, GapType, Observation
from agentguard.model.secret import SecretFile
from agentguard.sense.cross_check import CrossCheck
from agentguard.sense.inode_watch import InodeWatch, Touch
from agentguard.sense.interface import FolderSetup
from agentguard.sense.select import FileSensors

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")

READ = "import sys; open(sys.argv[1], 'rb').read()"


class Watched:
    """A secret with a hard link elsewhere, and what the second opinion tells of them."""

    def __init__(self, base: Path, **limits: int) -> None:
        self.told: list[Observation] = []
        self.supervised: set[tuple[int, int]] = set()
        self.secret, self.elsewhere = base / "project/.env", base / "elsewhere/hard"
        self.decoy = base / "run/decoy"
        for path in (self.secret, self.elsewhere, self.decoy):
            path.parent.mkdir()
        self.secret.write_text("PLAIN=1\n")
        self.decoy.write_text("decoy\n")
        os.link(self.secret, self.elsewhere)
        self.table = SecretTable(FilePatterns(()))
        self.enter(self.secret)
        info = self.decoy.stat()
        setup = FolderSetup(
            root_pid=os.getpid(),
            files=self.table,
            decoy=(info.st_dev, info.st_ino),
            decoy_path=str(self.decoy),
            seen=lambda device, inode, _: (device, inode) in self.supervised,
            on_look=lambda *_: None,
            on_change=lambda _: None,
            on_hold=lambda _: True,
            emit=self.told.append,
            clock=time.time_ns,
        )
        self.slow: Callable[[Touch], None] = lambda _: None
        self.check = CrossCheck(setup)
        self.inodes = InodeWatch(setup, self._touched, **limits)
        self.check.start((str(self.secret.parent), str(self.decoy.parent)))
        self.inodes.start(str(self.decoy))

    def _touched(self, touch: Touch) -> None:
        self.slow(touch)
        self.check.touched(touch)

    def enter(self, path: Path) -> tuple[int, int]:
        info = path.stat()
        self.table.add(SecretFile(path=str(path), device=info.st_dev, inode=info.st_ino))
        return info.st_dev, info.st_ino

    def gaps(self, kind: GapType) -> list[GapObservation]:
        return [one for one in self.told if isinstance(one, GapObservation) and one.type is kind]

    def wait(self, kind: GapType) -> GapObservation:
        deadline = time.monotonic() + 60
        while not self.gaps(kind) and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.gaps(kind)[0]

    def close(self) -> None:
        self.inodes.stop()
        self.check.stop()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    one = Watched(tmp_path)
    yield one
    one.close()


def read(path: Path) -> None:
    subprocess.run([sys.executable, "-c", READ, str(path)], check=True)


def test_a_read_by_another_name_is_told_under_the_name_we_know(watched: Watched) -> None:
    read(watched.elsewhere)
    gap = watched.wait(GapType.UNATTRIBUTED_OPEN)
    assert gap.detail.startswith(str(watched.secret))


def test_many_reads_by_either_name_are_one_gap(watched: Watched) -> None:
    for path in (watched.secret, watched.elsewhere, watched.secret):
        path.read_bytes()
    watched.wait(GapType.UNATTRIBUTED_OPEN)
    watched.close()
    assert len(watched.gaps(GapType.UNATTRIBUTED_OPEN)) == 1


def test_a_supervised_read_is_confirmed(watched: Watched) -> None:
    watched.supervised.add(watched.enter(watched.secret))
    watched.elsewhere.read_bytes()
    watched.secret.read_bytes()
    time.sleep(0.5)
    watched.close()
    assert watched.gaps(GapType.UNATTRIBUTED_OPEN) == []
    assert watched.check.coverage().events == 2
    assert watched.inodes.coverage().events == 2


def test_who_only_writes_has_read_nothing(watched: Watched) -> None:
    """The filter holds no open for writing alone, so none is expected to have been made by a supervised process."""
    with watched.elsewhere.open("a") as file:
        file.write("MORE=2\n")
    watched.secret.touch()
    time.sleep(0.5)
    watched.close()
    assert watched.told == []


def test_who_reads_through_a_descriptor_for_both_has_read(watched: Watched) -> None:
    with watched.elsewhere.open("r+") as file:
        file.read()
    watched.wait(GapType.UNATTRIBUTED_OPEN)


def test_who_still_holds_it_at_the_end_is_told(watched: Watched) -> None:
    with watched.elsewhere.open("rb"):
        time.sleep(0.5)
        assert watched.told == []
        watched.close()
    assert len(watched.gaps(GapType.UNATTRIBUTED_OPEN)) == 1


def test_a_file_put_in_its_place_is_watched_and_the_old_one_no_more(watched: Watched) -> None:
    new = watched.secret.with_name("new")
    new.write_text("NEW=1\n")
    old = watched.secret.stat()
    new.replace(watched.secret)
    watched.table.discard(old.st_dev, old.st_ino)
    watched.enter(watched.secret)
    watched.elsewhere.read_bytes()  # the last name of the old one
    time.sleep(0.5)
    assert watched.told == []
    other = watched.elsewhere.with_name("other")
    os.link(watched.secret, other)
    other.read_bytes()
    watched.wait(GapType.UNATTRIBUTED_OPEN)


def test_the_decoy_proves_it_and_says_when(watched: Watched) -> None:
    before = time.time_ns()
    assert watched.inodes.coverage().proved_ns is None
    watched.decoy.read_bytes()
    assert watched.inodes.proved.wait(5)
    assert watched.check.proved.wait(5)
    for coverage in (watched.inodes.coverage(), watched.check.coverage()):
        assert coverage.proved_ns is not None
        assert before <= coverage.proved_ns <= time.time_ns()
    assert watched.told == []


def test_a_limit_is_told_once_and_ends_the_claim_to_see_everything(tmp_path: Path) -> None:
    watched = Watched(tmp_path, max_watches=2)  # the decoy, and one secret
    assert watched.inodes.complete
    for name in ("second", "third"):
        path = watched.secret.with_name(name)
        path.write_text("X=1\n")
        watched.enter(path)
    (gap,) = watched.gaps(GapType.WATCH_LIMIT)
    assert str(watched.secret.with_name("second")) in gap.detail
    assert gap.remedy
    assert not watched.inodes.complete
    watched.close()


def test_an_overflow_of_the_kernels_queue_is_a_gap(watched: Watched) -> None:
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    go_on = threading.Event()
    watched.slow = lambda _: go_on.wait(30) and None
    watched.supervised.add(watched.enter(watched.secret))
    for _ in range(limit):  # two events each, and the reader has taken some
        os.close(os.open(watched.elsewhere, os.O_RDONLY))
    go_on.set()
    watched.wait(GapType.EVENTS_LOST)
    assert watched.inodes.coverage().drops == 1
    assert not watched.inodes.complete


def test_the_watches_cover_what_seccomp_cannot_hold_once_both_are_proved(watched: Watched) -> None:
    sensors = FileSensors(seccomp=None, folders=watched.check, inodes=watched.inodes, missing=())
    ring = GapObservation(time_ns=1, sensor="seccomp", type=GapType.IO_URING, detail="a ring")
    assert sensors.covers(ring, relied=False) is None, "it may still be covered"
    watched.decoy.read_bytes()
    assert sensors.proved(5)
    assert sensors.covers(ring, relied=False) == "watchdog and inotify"
    watched.close()
    lost = GapObservation(time_ns=1, sensor="inotify", type=GapType.EVENTS_LOST, detail="lost")
    assert sensors.covers(lost, relied=False) == "", "nobody holds opens here"
    bypass = GapObservation(time_ns=1, sensor="seccomp", type=GapType.OUTSIDE_TREE, detail="docker")
    assert sensors.covers(bypass, relied=False) == ""
