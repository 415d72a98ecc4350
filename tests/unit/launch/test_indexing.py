"""What the index does before the agent runs and after it has gone, and which gaps it tells."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.compiled_rules import put_into
from harness.planted import made_key

from agentguard.config import open_home
from agentguard.detection import Detection, open_detection
from agentguard.launch.indexing import Indexing, IndexSetup
from agentguard.model.observation import GapObservation, GapType
from agentguard.model.session import SensorState
from agentguard.paths import policies_dir


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


@pytest.fixture
def detection(tmp_path: Path) -> Detection:
    put_into(tmp_path / "home", ())
    return open_detection(open_home(tmp_path / "home"), policies_dir(), time.time_ns)


@pytest.fixture
def gaps() -> list[GapObservation]:
    return []


Make = Callable[..., Indexing]


@pytest.fixture
def make(tmp_path: Path, shop: Path, detection: Detection, gaps: list[GapObservation]) -> Make:
    """An index whose worker never came up, which is how a short session finds it."""

    def index(*, covered_by: str = "proxy") -> Indexing:
        home = open_home(tmp_path / "home")
        return Indexing(
            IndexSetup(
                detection=detection,
                workspace=shop,
                own=(home.root,),
                policies=policies_dir(),
                cache=home.cache,
                log=home.log,
                decoy=tmp_path / "decoy",
                on_change=detection.examine,
                on_content=detection.content,
                emit=gaps.append,
                second_opinion=lambda: covered_by,
                clock=time.time_ns,
            )
        )

    return index


def put(path: Path, text: str = "") -> Path:
    path.write_text(text or f'KEY = "{made_key()}"\n')
    return path


def never() -> bool:
    return False


def test_a_small_workspace_is_known_before_the_agent_runs(
    make: Make, shop: Path, detection: Detection, gaps: list[GapObservation]
) -> None:
    settings = put(shop / "settings.py")
    put(shop / "readme.md", "nothing\n")
    index = make()
    (value,) = index.head_start(never)
    assert value.source_path == str(settings)
    info = settings.stat()
    assert detection.table.lookup(info.st_dev, info.st_ino) is not None
    index.finish()
    assert gaps == []
    coverage = index.coverage()
    assert (coverage.state, coverage.proved, coverage.events) == (SensorState.RUNNING, True, 1)
    assert coverage.reason == "2 files looked through, 1 held a secret"


def test_what_was_made_and_read_meanwhile_is_found_at_the_end(
    make: Make, shop: Path, gaps: list[GapObservation]
) -> None:
    index = make()
    index.head_start(never)
    unread, read = put(shop / "unread.py"), put(shop / "read.py")
    time.sleep(0.02)
    before = read.stat().st_atime_ns
    read.read_text()
    if read.stat().st_atime_ns == before:
        pytest.skip("this file system keeps no access times")
    index.finish()
    (gap,) = gaps
    assert (gap.type, gap.covered_by) == (GapType.NOT_INDEXED, "")
    assert str(read) in gap.detail
    assert str(unread) not in gap.detail


def test_what_was_not_looked_at_is_covered_by_who_sees_it_leave(
    make: Make, shop: Path, detection: Detection, gaps: list[GapObservation]
) -> None:
    for number in range(30):
        put(shop / f"{number}.py", "nothing\n")
    _limit(detection, most_files=10, largest_bytes=4)
    make().finish()
    make(covered_by="").finish()
    assert [(gap.count, gap.covered_by) for gap in gaps] == [(20, "proxy"), (10, "proxy"), (20, ""), (10, "")]


def test_a_tree_of_keys_does_not_fill_the_table(
    make: Make, shop: Path, detection: Detection, gaps: list[GapObservation]
) -> None:
    for number in range(12):
        put(shop / f"{number}.py")
    _limit(detection, most_found=5)
    index = make()
    assert len(index.head_start(never)) == 5
    assert len(detection.table) == 5
    index.finish()
    assert [(gap.count, gap.covered_by) for gap in gaps] == [(7, "proxy")]


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_is_looked_into_is_noted_for_other_guards(
    make: Make, shop: Path, detection: Detection, tmp_path: Path, when: str
) -> None:
    """Even what finds no room in our own table: it may be in another's."""
    _limit(detection, most_found=0)
    keys = [(info.st_dev, info.st_ino) for info in (put(shop / f"{number}.py").stat() for number in range(3))]
    began, index = time.time_ns(), make()
    if when == "before":
        index.head_start(never)
    else:
        index.finish()
    other = open_detection(open_home(tmp_path / "home"), policies_dir(), time.time_ns).looks
    assert all(other.seen(*key, began) for key in keys)


def _limit(detection: Detection, **limits: int) -> None:
    patterns = detection.patterns
    patterns.content = detection.judge.rules = dataclasses.replace(patterns.content, **limits)


def test_a_file_in_the_place_of_another_is_looked_into(shop: Path, detection: Detection) -> None:
    """What the file sensor asks while it holds the open of an inode that it does not know."""
    settings = put(shop / "settings.py")
    first = detection.content(str(settings))
    assert first is not None
    put(shop / "aside").rename(settings)
    second = detection.examine(str(settings))
    assert second is not None
    assert second.inode != first.inode
    assert detection.table.lookup(first.device, first.inode) is None
    put(shop / "aside", "nothing\n").rename(settings)
    assert detection.examine(str(settings)) is None
    assert len(detection.table) == 0
    put(shop / "aside").rename(settings)
    assert detection.examine(str(settings)) is not None, "its place is known, whatever lay there in between"
    settings.unlink()
    assert detection.examine(str(settings)) is None
    os.mkfifo(settings)
    assert detection.examine(str(settings)) is None
