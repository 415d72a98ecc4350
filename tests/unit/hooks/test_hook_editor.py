"""A commit with an editor has two hooks: the second looks only at what the first has not seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness.repository import Repository, made_up_key

from agentguard.hooks.scripts import Program

KEY = made_up_key(5)
LINE = f"token = '{KEY}'\n"


def edited(repository: Repository, editor: str, *words: str, **variables: str):  # type: ignore[no-untyped-def]
    return repository.git("commit", *words, check=False, GIT_EDITOR=editor, **variables)


def comparisons(trace: Path) -> int:
    """How often git was asked what is staged."""
    events = [json.loads(line) for line in trace.read_text().splitlines()]
    started = [event["argv"] for event in events if event["event"] == "start"]
    return sum(1 for words in started if "diff" in words and "--cached" in words)


@pytest.mark.parametrize("message", ["a change", "100 % more\\n\\nsee https://example.org/%41"])
def test_what_is_staged_is_looked_at_once(guarded: Repository, tmp_path: Path, message: str) -> None:
    """Whether the message is plain or is looked at itself."""
    guarded.stage("a.py", "a = 1\n")
    trace = tmp_path / "trace"
    done = edited(guarded, f"printf '{message.replace('%', '%%')}\\n' >", GIT_TRACE2_EVENT=str(trace))
    assert done.returncode == 0, done.stderr
    assert comparisons(trace) == 1


@pytest.mark.parametrize("words", [(), ("--all",), ("--only", "--", "a.py"), ("--amend",)])
def test_every_way_to_commit_with_an_editor_is_stopped_before_it_comes_up(
    guarded: Repository, tmp_path: Path, words: tuple[str, ...]
) -> None:
    guarded.stage("a.py", "a = 1\n")
    assert guarded.commit().returncode == 0
    if words in ((), ("--amend",)):
        guarded.stage("a.py", LINE)
    else:
        (guarded.top / "a.py").write_text(LINE)
    came_up = tmp_path / "came up"
    assert edited(guarded, f"touch '{came_up}'; true", *words).returncode == 1
    assert not came_up.exists()


def test_a_key_in_the_message_stops_what_was_seen_already(guarded: Repository) -> None:
    guarded.stage("a.py", "a = 1\n")
    done = edited(guarded, f"echo 'the key is {KEY}' >")
    assert done.returncode == 1
    assert "(commit message):1" in done.stderr


def test_what_is_staged_while_the_editor_is_up_was_not_seen(guarded: Repository, tmp_path: Path) -> None:
    """git does not commit it; but who stages a key then is told so."""
    guarded.stage("a.py", "a = 1\n")
    (guarded.top / "b.py").write_text(LINE)
    trace = tmp_path / "trace"
    done = edited(guarded, "git add b.py; echo 'a change' >", GIT_TRACE2_EVENT=str(trace))
    assert done.returncode == 1
    assert "b.py:1" in done.stderr
    assert comparisons(trace) == 2


def test_what_another_commit_saw_does_not_count(guarded: Repository, tmp_path: Path) -> None:
    """The first is given up in the editor. The second has the same index, and no first hook."""
    guarded.stage("a.py", "a = 1\n")
    assert edited(guarded, "false").returncode != 0
    trace = tmp_path / "trace"
    (guarded.top / ".git" / "hooks" / "pre-commit").unlink()
    assert edited(guarded, "echo 'a change' >", GIT_TRACE2_EVENT=str(trace)).returncode == 0
    assert comparisons(trace) == 1


def test_without_a_cache_both_hooks_look(guarded: Repository, program: Program, tmp_path: Path) -> None:
    """As slow as ever, and as sure."""
    hooks = guarded.top / ".git" / "hooks"
    for name in ("pre-commit", "commit-msg"):
        text = (hooks / name).read_text()
        (hooks / name).write_text(text.replace(program.home, str(tmp_path / "missing")))
    guarded.stage("a.py", "a = 1\n")
    trace = tmp_path / "trace"
    assert edited(guarded, f"echo 'the key is {KEY}' >", GIT_TRACE2_EVENT=str(trace)).returncode == 1
    assert comparisons(trace) == 2


def test_what_the_second_hook_reads_of_the_cache_may_be_damaged(guarded: Repository, program: Program) -> None:
    cache = Path(program.home) / "cache"
    guarded.stage("a.py", "a = 1\n")
    damaged = [*cache.glob("*.sieve"), cache / "seen"]
    editor = "; ".join(f"echo nonsense > '{path}'" for path in damaged)
    assert edited(guarded, f"{editor}; echo 'the key is {KEY}' >").returncode == 1
    assert edited(guarded, f"{editor}; echo 'a change' >").returncode == 0
    assert not (cache / "seen").exists()
    assert edited(guarded, "echo 'another change' >", "--amend").returncode == 0
    assert all(path.read_bytes() != b"nonsense\n" for path in damaged)
