"""Real pushes before the gate."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.repository import Repository, made_up_key

from agentguard.hooks.scripts import Program

KEY = made_up_key()


@pytest.fixture
def pushed(bare: Repository, program: Program, tmp_path: Path) -> Repository:
    """One whose first commit, with a key from before the gate, is there already."""
    bare.git("init", "--quiet", "--bare", str(tmp_path / "there.git"))
    bare.git("remote", "add", "there", str(tmp_path / "there.git"))
    bare.stage("old.py", f"old = '{made_up_key(1)}'\n")
    bare.commit()
    bare.git("push", "--quiet", "there", "main")
    bare.guard(program)
    return bare


def push(repository: Repository, *words: str) -> tuple[int, str]:
    done = repository.git("push", "--quiet", "there", *words, check=False)
    assert KEY not in done.stderr
    return done.returncode, done.stderr


def test_a_key_that_came_and_went_in_what_is_pushed_stops_it(pushed: Repository) -> None:
    pushed.stage("a.py", f"\ntoken = '{KEY}'\n")
    pushed.commit("went round the gate", "--no-verify")
    commit = pushed.git("rev-parse", "HEAD").stdout[:12]
    pushed.stage("a.py", "token = None\n")
    pushed.commit("out again")
    status, said = push(pushed, "main")
    assert status != 0
    assert f"a.py:2 in {commit}" in said
    assert "push stopped" in said
    pushed.git("reset", "--quiet", "--hard", "HEAD~2")
    pushed.stage("a.py", "token = 1\n")
    pushed.commit("clean")
    assert push(pushed, "main", "main:refs/heads/second") == (0, "")


def test_what_cannot_be_looked_at_is_not_pushed(pushed: Repository) -> None:
    pushed.stage("a.py", "a = 1\n")
    pushed.commit()
    blob = pushed.git("rev-parse", ":a.py").stdout.strip()
    (pushed.top / ".git/objects" / blob[:2] / blob[2:]).unlink()
    status, said = push(pushed, "main")
    assert status != 0
    assert len([line for line in said.splitlines() if line.startswith("agentguard: pre-push was stopped")]) == 1
    assert "Traceback" not in said


def test_a_message_and_a_merge_count_and_a_deletion_does_not(pushed: Repository) -> None:
    pushed.git("switch", "--quiet", "--create", "side")
    pushed.stage("side.py", "side = 1\n")
    pushed.commit(f"with {KEY}", "--no-verify")
    assert "(commit message)" in push(pushed, "side")[1]
    pushed.git("commit", "--quiet", "--amend", "--no-verify", "-m", "without")
    assert push(pushed, "side")[0] == 0
    pushed.git("switch", "--quiet", "main")
    pushed.git("merge", "--quiet", "--no-ff", "--no-commit", "side")
    pushed.stage("side.py", f"side = '{KEY}'\n")
    pushed.commit("an evil merge", "--no-verify")
    assert "side.py:1 in " in push(pushed, "main")[1]
    assert push(pushed, "--delete", "side") == (0, "")
