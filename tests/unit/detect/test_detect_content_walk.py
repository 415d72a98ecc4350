"""The walk looks into every file that counts, once, wherever it is; and stops where it is told to."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from content_support import finds, holding, names, walk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentguard.birth import birth_time_ns
from agentguard.detect.inventory import content_file
from agentguard.detect.read_before import read_before
from agentguard.detect.secret_table import SecretTable
from agentguard.model.index import ReadBefore
from agentguard.model.secret import CONTENT_KIND


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    put(root / "config.yaml", holding())
    put(root / "deep" / "er" / "notebook.ipynb", holding())
    put(root / "readme.md", b"nothing\n")
    return root


def test_files_are_found_by_what_they_hold(shop: Path) -> None:
    put(shop / ".env", holding())
    put(shop / ".env.example", holding())
    put(shop / "node_modules" / "x" / "index.js", holding())
    put(shop / ".git" / "config", holding())
    put(shop / "dist" / "bundle.js", holding())
    one = walk()
    found = finds(one, shop)
    assert names(found, shop) == {"config.yaml", "deep/er/notebook.ipynb"}
    assert one.progress.complete
    assert (one.progress.files, one.progress.done) == (3, 3)
    (config,) = (find.file for find in found if find.file.path.endswith("config.yaml"))
    info = (shop / "config.yaml").stat()
    assert (config.device, config.inode, config.kind) == (info.st_dev, info.st_ino, CONTENT_KIND)
    assert config.birth_time_ns == birth_time_ns(config.path)


def test_a_second_walk_reads_only_what_has_changed(shop: Path) -> None:
    assert len(finds(walk(), shop)) == 2
    time.sleep(0.02)
    now = time.time_ns() - 10_000_000
    put(shop / "deep" / "new.py", holding())
    (shop / "readme.md").rename(shop / "moved.md")
    again = walk()
    assert names(finds(again, shop, changed_since_ns=now), shop) == {"deep/new.py"}
    assert again.progress.complete
    assert again.progress.bytes == len(holding()) + len(b"nothing\n"), "the moved file was read too: its status changed"


def test_limits_leave_files_out_and_say_how_many(shop: Path) -> None:
    for number in range(20):
        put(shop / "many" / f"{number}.txt", holding())
    few = walk(most_files=5)
    assert len(finds(few, shop)) <= 5
    assert (few.progress.complete, few.progress.left) == (False, 18)
    small = walk(most_bytes=len(holding()))
    assert len(finds(small, shop)) == 1
    assert not small.progress.complete
    assert small.progress.left > 0


def test_it_can_be_left_and_says_what_is_left(shop: Path) -> None:
    one = walk()
    for _ in one.run(str(shop)):
        if one.progress.listed:
            break
    assert not one.progress.complete
    assert one.progress.left == 3


def test_every_folder_is_told_before_its_files_are_listed(shop: Path) -> None:
    """A file that appears while the folder is being taken in is either listed or seen to change."""
    told: list[str] = []
    one = walk()
    one._on_folder = lambda folder: put(Path(folder) / "late.py", holding()) and told.append(folder)
    assert names(finds(one, shop), shop) >= {"late.py", "deep/late.py", "deep/er/late.py"}
    assert told == [str(shop), str(shop / "deep"), str(shop / "deep" / "er")]


def test_odd_trees_end(shop: Path) -> None:
    os.mkfifo(shop / "pipe.py")
    (shop / "loop").symlink_to(shop)
    (shop / "out").symlink_to("/etc")
    (shop / "closed").mkdir(mode=0o000)
    put(shop / os.fsdecode(b"\xff\xfe.py"), holding())
    deep = shop
    for _ in range(60):
        deep /= "d" * 60
    deep.mkdir(parents=True)
    found = finds(walk(), shop)
    assert names(found, shop) == {"config.yaml", "deep/er/notebook.ipynb", os.fsdecode(b"\xff\xfe.py")}
    assert finds(walk(), shop / "gone") == []


NAMES = st.sampled_from(["a.py", "b.txt", "c", ".env", "x.example", "node_modules", "sub", "dist", "é.md"])
TREES = st.recursive(st.booleans(), lambda inner: st.dictionaries(NAMES, inner, max_size=4), max_leaves=12).filter(
    lambda tree: isinstance(tree, dict)
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=TREES)
def test_exactly_the_files_that_count_and_hold_a_secret(tmp_path_factory: pytest.TempPathFactory, tree: dict) -> None:  # type: ignore[type-arg]
    root = tmp_path_factory.mktemp("tree")
    wanted: set[str] = set()

    def plant(folder: Path, entries: dict, skipped: bool) -> None:  # type: ignore[type-arg]
        for name, inner in entries.items():
            if isinstance(inner, dict):
                (folder / name).mkdir()
                plant(folder / name, inner, skipped or name in {"node_modules", "dist"})
                continue
            put(folder / name, holding() if inner else b"nothing\n")
            if inner and not skipped and name not in {".env", "x.example"}:
                wanted.add(os.path.relpath(folder / name, root))

    plant(root, tree, False)
    one = walk()
    assert names(finds(one, root), root) == wanted
    assert one.progress.complete


# --- whether it was read before we knew ----------------------------------------------------------------

RELATIME = getattr(os, "ST_RELATIME", 4096)
SECOND = 1_000_000_000
DAY = 24 * 3600 * SECOND
START = 1_000 * DAY


def stat_of(*, read: int, written: int) -> os.stat_result:
    times = (written // SECOND,) * 3
    nanoseconds = {"st_atime_ns": read, "st_mtime_ns": written, "st_ctime_ns": written}
    return os.stat_result((0o100644, 1, 1, 1, 0, 0, 1, *times), nanoseconds)


@pytest.mark.parametrize(
    ("read", "written", "flags", "said"),
    [
        (START + SECOND, START - DAY, RELATIME, ReadBefore.YES),
        (START + 2 * SECOND, START + SECOND, RELATIME, ReadBefore.YES),
        (START + SECOND, START + 2 * SECOND, RELATIME, ReadBefore.NO),
        (START + SECOND, START + SECOND, RELATIME, ReadBefore.NO),
        (START - 2 * DAY, START - 3 * DAY, RELATIME, ReadBefore.NO),
        (START - SECOND, START, RELATIME, ReadBefore.NO),
        (START - SECOND, START - 2 * SECOND, RELATIME, ReadBefore.UNKNOWN),
        (START - SECOND, START - 2 * SECOND, 0, ReadBefore.NO),
        (START + SECOND, START - DAY, getattr(os, "ST_NOATIME", 1024), ReadBefore.UNKNOWN),
        (START + SECOND, START - DAY, os.ST_RDONLY, ReadBefore.UNKNOWN),
    ],
)
def test_the_access_time_tells_who_came_first(read: int, written: int, flags: int, said: ReadBefore) -> None:
    assert read_before(stat_of(read=read, written=written), START, flags) is said


def test_a_real_read_is_told_from_none(tmp_path: Path) -> None:
    unread, read = put(tmp_path / "unread.py", holding()), put(tmp_path / "read.py", holding())
    start = time.time_ns()
    time.sleep(0.02)
    read.read_bytes()
    if read.stat().st_atime_ns <= start:
        pytest.skip("this file system keeps no access times")
    said = {find.file.path: find.read for find in finds(walk(since_ns=start), tmp_path)}
    assert said == {str(unread): ReadBefore.NO, str(read): ReadBefore.YES}


# --- the table -----------------------------------------------------------------------------------------


def test_the_table_knows_the_places_of_what_it_held(shop: Path) -> None:
    path = str(shop / "config.yaml")
    file = content_file(path)
    assert file is not None
    table = SecretTable(walk()._patterns, [file])
    assert table.known_name("config.yaml")
    assert table.known_path(path)
    assert table.at_path(path) == file
    table.discard(file.device, file.inode)
    assert table.at_path(path) is None
    assert table.known_path(path), "another may be put in its place"
    assert not table.known_path(str(shop / "readme.md"))
