"""What the worker finds and follows, over its real link; and the process it is."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.compiled_rules import rules_folder
from harness.planted import made_key

from agentguard.index_worker import work
from agentguard.model.index import IndexProgress, ReadBefore, SecretFind
from agentguard.paths import policies_dir
from agentguard.sense.content_index import ContentIndex, IndexHandler, IndexStart
from agentguard.sense.proxy import wire


class Link:
    """The supervisor's end. The worker is a thread here: as a process it lets all other tests go first."""

    def __init__(self, start: IndexStart) -> None:
        self._ours, theirs = socket.socketpair()
        self.said: list[tuple[str, Any]] = []
        self._syncs = 0
        self._threads = [
            threading.Thread(target=lambda: (work(theirs), theirs.close()), daemon=True),
            threading.Thread(target=self._hear, daemon=True),
        ]
        self._ours.sendall(wire.encode("start", start))
        for thread in self._threads:
            thread.start()
        wait(lambda: any(op == "progress" and body["listed"] for op, body in self.said))
        assert self.sync()

    def _hear(self) -> None:
        with self._ours.makefile("rb") as lines:
            for line in lines:
                self.said.append(wire.decode(line))

    def sync(self) -> bool:
        self._syncs += 1
        self._ours.sendall(wire.encode("sync", self._syncs))
        wait(lambda: ("synced", self._syncs) in self.said)
        return self.progress.complete

    @property
    def progress(self) -> IndexProgress:
        return wire.typed(next(body for op, body in reversed(self.said) if op == "progress"), IndexProgress)

    @property
    def found(self) -> dict[str, SecretFind]:
        finds = [wire.typed(body, SecretFind) for op, body in list(self.said) if op == "find"]
        return {find.file.path: find for find in finds}

    def told(self, wanted: str) -> list[Any]:
        return [body for op, body in list(self.said) if op == wanted]

    def close(self) -> None:
        self._ours.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), "it ends with its supervisor"
        self._ours.close()


Begin = Callable[..., Link]


@pytest.fixture
def cache() -> Path:
    """The compiled rules."""
    return rules_folder()


def start_message(tmp_path: Path, cache: Path, changed_since_ns: int = 0) -> IndexStart:
    return IndexStart(
        workspace=str(tmp_path / "shop"),
        excluded=(str(tmp_path / "shop" / "guard"),),
        policies=policies_dir(),
        cache=cache,
        since_ns=time.time_ns(),
        changed_since_ns=changed_since_ns,
    )


@pytest.fixture
def begin(tmp_path: Path, cache: Path) -> Iterator[Begin]:
    """Start a worker over `tmp_path`/shop and wait until its first walk is over."""
    running: list[Link] = []

    def start(*, changed_since_ns: int = 0) -> Link:
        running.append(Link(start_message(tmp_path, cache, changed_since_ns)))
        return running[-1]

    yield start
    for link in running:
        link.close()


def wait(until: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)


def put(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text or f'KEY = "{made_key()}"\n')
    return path


def test_it_finds_then_follows(tmp_path: Path, begin: Begin) -> None:
    shop = tmp_path / "shop"
    settings = put(shop / "settings.py")
    put(shop / "guard" / "settings.py")
    put(shop / ".env")
    index = begin()
    assert set(index.found) == {str(settings)}
    assert index.progress.files == 1
    assert index.found[str(settings)].read is not ReadBefore.YES

    late = put(shop / "late.py")
    folder = put(shop / "new" / "deep" / "late.py")
    outside = put(tmp_path / "outside" / "a.py")
    (tmp_path / "outside").rename(shop / "moved in")
    put(shop / "node_modules" / "x.js")
    put(shop / ".env.local")
    assert index.sync()
    assert set(index.found) == {str(path) for path in (settings, late, folder, shop / "moved in" / outside.name)}
    assert str(shop / ".env.local") in index.told("changed"), (
        "a telling name is for the supervisor, wherever it appears"
    )

    index.said.clear()
    settings.write_text("nothing\n")
    replaced = put(shop / "aside")
    replaced.rename(late)
    folder.unlink()
    assert index.sync()
    assert {str(settings), str(late)} <= set(index.told("changed")), "it leaves what is known to the supervisor"
    assert index.told("deleted") == [str(folder)]


def test_what_has_a_second_name_is_not_gone(tmp_path: Path, begin: Begin) -> None:
    first = put(tmp_path / "shop" / "a.py")
    os.link(first, tmp_path / "kept.py")
    index = begin()
    first.unlink()
    assert index.sync()
    assert index.told("deleted") == []


def test_what_was_known_before_is_not_read_again(tmp_path: Path, begin: Begin) -> None:
    put(tmp_path / "shop" / "old.py")
    time.sleep(0.05)
    index = begin(changed_since_ns=time.time_ns())
    assert index.found == {}
    new = put(tmp_path / "shop" / "old.py", f"other = '{made_key()}'\n")
    assert index.sync()
    assert set(index.found) == {str(new)}


def test_a_file_that_keeps_growing_is_seen_before_it_is_closed(tmp_path: Path, begin: Begin) -> None:
    (tmp_path / "shop").mkdir()
    index = begin()
    with (tmp_path / "shop" / "run.log").open("w", buffering=1) as log:
        log.write(f"token {made_key()}\n")
        wait(lambda: index.found)


def test_no_value_crosses_the_link(tmp_path: Path, begin: Begin) -> None:
    key = made_key()
    put(tmp_path / "shop" / "settings.py", f"KEY = '{key}'\n")
    index = begin()
    put(tmp_path / "shop" / "settings.py", f"KEY = '{key}' # edited\n")
    assert index.sync()
    assert {op for op, _ in index.said} == {"find", "changed", "progress", "synced"}
    assert key[20:60] not in str(index.said)


def test_the_process_keeps_out_of_the_way_and_cannot_be_looked_into(tmp_path: Path, cache: Path) -> None:
    settings = put(tmp_path / "shop" / "settings.py")
    found: list[SecretFind] = []
    handler = IndexHandler(on_find=found.append, on_change=lambda _path: None, on_delete=lambda _path: None)
    index = ContentIndex(handler, tmp_path / "log")
    try:
        assert index.hidden(20)
        assert Path(f"/proc/{index.pid}/mem").stat().st_uid == 0
        index.start(start_message(tmp_path, cache))
        wait(lambda: index.progress.complete, seconds=60)
        assert index.sync(60)
        assert [find.file.path for find in found] == [str(settings)]
        assert os.getpriority(os.PRIO_PROCESS, index.pid) == 19
        assert (tmp_path / "log").read_text() == ""
    finally:
        index.stop()
    assert not index.alive
    assert not index.sync(1)
