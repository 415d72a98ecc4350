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
from agentguard.sense.process_tree import ProcessTree

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


@pytest.fixture
def tree() -> Iterator[tuple[int, int]]:
    """A shell and its sleeping child."""
    shell = subprocess.Popen(["sh", "-c", "sleep 60; :"])
    deadline = time.monotonic() + 10
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
