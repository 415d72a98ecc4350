"""What changes in a tree is told, what is only read is not, and what cannot be watched is counted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agentguard.sense.tree_watch import Change, TreeWatch

pytestmark = pytest.mark.skipif(TreeWatch(1).descriptor < 0, reason="this system has no inotify")


@pytest.fixture
def watch(tmp_path: Path) -> TreeWatch:
    watch = TreeWatch(8)
    watch.add(str(tmp_path))
    return watch


def told(watch: TreeWatch, below: Path) -> list[tuple[str, Change]]:
    return [(os.path.relpath(changed.path, below), changed.change) for changed in watch.changes()]


def test_each_way_to_put_a_file_there(watch: TreeWatch, tmp_path: Path) -> None:
    (tmp_path / "new").write_text("a")
    assert ("new", Change.WRITTEN) in told(watch, tmp_path)
    (tmp_path / "new").rename(tmp_path / "moved")
    assert told(watch, tmp_path) == [("moved", Change.WRITTEN)]
    os.link(tmp_path / "moved", tmp_path / "linked")
    assert told(watch, tmp_path) == [("linked", Change.WRITTEN)]
    (tmp_path / "linked").unlink()
    assert told(watch, tmp_path) == [("linked", Change.DELETED)]
    with (tmp_path / "moved").open("a") as file:
        file.write("more")
        file.flush()
        assert told(watch, tmp_path) == [("moved", Change.TOUCHED)]
    assert told(watch, tmp_path) == [("moved", Change.WRITTEN)]


def test_reading_is_nobodys_business(watch: TreeWatch, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    told(watch, tmp_path)
    (tmp_path / "a").read_text()
    os.listdir(tmp_path)
    assert told(watch, tmp_path) == []


def test_names_that_are_no_text(watch: TreeWatch, tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\xff\xfe", "wb"):
        pass
    assert (os.fsdecode(b"\xff\xfe"), Change.WRITTEN) in told(watch, tmp_path)


def test_a_folder_goes_by_its_new_name(watch: TreeWatch, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "deep").mkdir(parents=True)
    assert told(watch, tmp_path) == [("old", Change.FOLDER)]
    watch.add(str(old))
    watch.add(str(old / "deep"))
    old.rename(new)
    (new / "deep" / "a").write_text("a")
    assert told(watch, tmp_path) == [("new", Change.FOLDER)], "nothing is told under a name that is gone"
    watch.add(str(new))
    watch.add(str(new / "deep"))
    (new / "deep" / "b").write_text("b")
    assert ("new/deep/b", Change.WRITTEN) in told(watch, tmp_path)


def test_limits_are_counted(tmp_path: Path) -> None:
    watch = TreeWatch(2)
    for number in range(5):
        (tmp_path / str(number)).mkdir()
        watch.add(str(tmp_path / str(number)))
    watch.add(str(tmp_path / "gone"))
    assert (len(watch), watch.refused) == (2, 4)


def test_a_folder_that_is_gone_or_none_is_no_gap(watch: TreeWatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a")
    for name in ("gone", "file"):
        watch.add(str(tmp_path / name))
    assert (len(watch), watch.refused) == (1, 0)


def test_an_overflow_is_counted(watch: TreeWatch, tmp_path: Path) -> None:
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if most > 20_000:
        pytest.skip("the queue is too long to fill here")
    (tmp_path / "0").touch()
    for number in range(most // 2 + 10):
        os.rename(tmp_path / str(number), tmp_path / str(number + 1))  # noqa: PTH104 (thousands of them)
    told(watch, tmp_path)
    assert watch.lost >= 1
