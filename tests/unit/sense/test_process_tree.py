"""Identities read from /proc of processes that this test started."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentguard.sense import procfs
from agentguard.sense.process_tree import Link, ProcessTree, Started

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


@pytest.fixture
def tree() -> Iterator[tuple[int, int]]:
    """A shell and its sleeping child."""
    shell = subprocess.Popen(["sh", "-c", "sleep 60; :"])
    deadline = time.monotonic() + 60
    while not (children := procfs.children(shell.pid)) or procfs.read_exe(children[0]).endswith("sh"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield shell.pid, children[0]
    for pid in (children[0], shell.pid):
        os.kill(pid, 9)
    shell.wait()


def test_a_snapshot_has_the_chain_to_the_root(tree: tuple[int, int]) -> None:
    root, child = tree
    snapshot = ProcessTree(root).snapshot(child)
    assert (snapshot.pid, snapshot.parent_pid, snapshot.name) == (child, root, "sleep")
    assert snapshot.cmdline == ("sleep", "60")
    assert [ancestor.pid for ancestor in snapshot.ancestors] == [root]
    assert snapshot.start_time > 0
    assert Path(snapshot.cwd) == Path.cwd()


def test_the_root_has_no_ancestors(tree: tuple[int, int]) -> None:
    assert ProcessTree(tree[0]).snapshot(tree[0]).ancestors == ()


def test_a_stranger_has_no_chain(tree: tuple[int, int]) -> None:
    """A process that does not lead to the root must not be given parents of ours."""
    assert ProcessTree(tree[1]).snapshot(tree[0]).ancestors == ()


def test_an_exec_is_told_before_it_happens(tree: tuple[int, int]) -> None:
    root, child = tree
    known = ProcessTree(root)
    assert known.exec(child, "/usr/bin/soon", ("soon", "-x")).name == "soon"
    assert known.snapshot(child).name == "sleep", "the kernel has the last word"


def test_descendants_are_found_and_the_dead_are_quiet(tree: tuple[int, int]) -> None:
    root, child = tree
    assert procfs.descendants(root) == [child]
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert procfs.read_stat(gone.pid) is None
    assert procfs.read_exe(gone.pid) == ""
    assert procfs.children(gone.pid) == []


def test_what_the_native_loop_tells_of_a_process_is_not_read_again() -> None:
    """None of these processes exists: whatever is known of them was told."""
    known = ProcessTree(900_001)
    shell = Link(900_001, 1, 50, "/usr/bin/dash")
    first = known.exec_told(Started(900_002, 900_001, 60, "/work", (shell,)), "/usr/bin/make", ("make",))
    assert (first.pid, first.parent_pid, first.start_time, first.name, first.cwd) == (
        900_002,
        900_001,
        60,
        "make",
        "/work",
    )
    assert [(one.pid, one.name) for one in first.ancestors] == [(900_001, "dash")]
    second = known.exec_told(Started(900_003, 900_002, 70, "/work", ()), "/usr/bin/cc", ("cc",))
    assert [(one.pid, one.name) for one in second.ancestors] == [(900_002, "make"), (900_001, "dash")]
    known.exec_told(Started(900_002, 900_001, 60, "/work", ()), "/usr/bin/true", ("true",))
    reused = known.exec_told(Started(900_002, 900_003, 99, "/", ()), "/usr/bin/ls", ("ls",))
    assert [one.pid for one in reused.ancestors] == [900_003, 900_002, 900_001], "another process by the same number"
