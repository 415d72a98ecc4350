"""Whole sessions behind the gate."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness.guarded import REPOSITORY, Guarded, of_kind

from agentguard.native.find import find_library

pytestmark = [
    pytest.mark.usefixtures("planted"),
    pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's"),
    pytest.mark.skipif(find_library("gate") is None, reason="the gate is not compiled here"),
]

WAITS = """
import os, resource
open("ordinary", "w").close()
before = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
for _ in range(300):
    os.close(os.open("ordinary", os.O_RDONLY))
print(resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before)
"""


def seccomp_reason(guarded: Guarded) -> str:
    (session,) = guarded.sessions()
    (entry,) = [entry for entry in session["coverage"] if entry["sensor"] == "seccomp"]
    assert entry["proved"]
    reason: str = entry["reason"]
    return reason


def test_a_session_goes_through_the_gate_and_sees_each_secret(guarded: Guarded) -> None:
    os.link(guarded.project / ".env", guarded.project / "innocent")
    done = guarded.run(sys.executable, "-c", WAITS + "print(os.getpid(), open('innocent').read() != '')")
    held, pid = done.stdout.split()[:2]
    assert int(held) < 30, done.stderr
    reads = of_kind(guarded.events(), "file")
    assert [event["process"]["pid"] for event in reads] == [int(pid)]
    assert seccomp_reason(guarded).endswith("with the gate")


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="only root can become another user")
def test_another_user_in_roots_tree_loads_it_without_a_word(guarded: Guarded) -> None:
    (guarded.project / ".env").chmod(0o644)
    done = guarded.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat", ".env")
    assert done.returncode == 0
    assert done.stderr == ""
    assert len(of_kind(guarded.events(), "file")) == 1


@pytest.mark.skipif(os.uname().machine != "x86_64" or not shutil.which("cc"), reason="a C program for x86_64")
def test_an_open_by_code_that_calls_the_gate_itself_is_a_gap_of_its_own(guarded: Guarded, base: Path) -> None:
    """Nothing is held, and so nobody can be named: but the watches of the file know that it was opened."""
    program = base / "calls_gate"
    subprocess.run(["cc", "-w", "-o", program, REPOSITORY / "tests/harness/calls_gate.c"], check=True)
    done = guarded.run("sh", "-c", f"sleep 1.5; {program} openat; sleep 1.5")
    assert done.stdout.strip() == "1", done.stderr
    events = guarded.events()
    assert of_kind(events, "file") == []
    assert [gap["gap"]["type"] for gap in of_kind(events, "gap")] == ["unattributed-open"]
    (session,) = guarded.sessions()
    assert session["outcome"] == "unknown"


def test_where_it_cannot_be_all_is_as_before_and_said(guarded: Guarded, base: Path) -> None:
    folder = base / "a folder"
    folder.mkdir()
    folder.chmod(0o777)
    guarded.extra = {**guarded.extra, "TMPDIR": str(folder)}
    done = guarded.run(sys.executable, "-c", WAITS + "open('.env').read(); print(os.environ.get('LD_PRELOAD'))")
    held, preloaded = done.stdout.split()
    assert int(held) >= 300
    assert preloaded == "None"
    assert len(of_kind(guarded.events(), "file")) == 1
    assert "without the gate (the dynamic loader cannot take a path like" in seccomp_reason(guarded)
    assert of_kind(guarded.events(), "gap") == []
