"""Real commits before the gate: what it stops, what it lets pass, and that it looks at what is staged."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from harness.repository import Repository, made_up_key, new_repository

from agentguard.hooks import looking
from agentguard.hooks.git_pipe import GitPipe
from agentguard.hooks.scripts import Program
from agentguard.scan.git_options import FORMAT

KEY, OTHER = made_up_key(), made_up_key(1)
LINE = f"token = '{KEY}'\n"


def stopped(repository: Repository, *said: str, message: str = "a change", **variables: str) -> str:
    """A commit that must not come about; what the gate said of it, which never holds the key."""
    before = repository.git("rev-parse", "--verify", "HEAD", check=False).stdout
    done = repository.commit(message, **variables)
    assert done.returncode == 1, done.stderr
    assert repository.git("rev-parse", "--verify", "HEAD", check=False).stdout == before
    assert KEY not in done.stderr + done.stdout
    for text in said:
        assert text in done.stderr
    return done.stderr


def passes(repository: Repository, message: str = "a change", **variables: str) -> None:
    done = repository.commit(message, **variables)
    assert done.returncode == 0, done.stderr


def test_the_first_commit_is_stopped_with_place_type_preview_and_what_to_do(guarded: Repository) -> None:
    guarded.stage("src/pay.py", "import os\n\n" + LINE)
    said = stopped(guarded, "src/pay.py:3  GitHub", f"ghp_…{KEY[-2:]}", "next: ", "agentguard:allow")
    assert len(said.splitlines()) == 5


def test_what_is_staged_counts_and_not_what_lies_on_the_disk(guarded: Repository) -> None:
    guarded.stage("a.py", LINE)
    (guarded.top / "a.py").write_text("token = None\n")
    stopped(guarded, "a.py:1")
    guarded.stage("a.py", "token = None\n")
    (guarded.top / "a.py").write_text(LINE)
    (guarded.top / "untracked.py").write_text(LINE)
    passes(guarded)


def test_a_commit_of_some_paths_has_an_index_of_its_own(guarded: Repository) -> None:
    guarded.stage("a.py", "a = 1\n")
    guarded.stage("b.py", "b = 1\n")
    passes(guarded)
    guarded.stage("a.py", LINE)
    guarded.stage("b.py", "b = 2\n")
    assert guarded.commit("only b", "b.py").returncode == 0
    assert guarded.commit("only a", "a.py").returncode == 1
    (guarded.top / "b.py").write_text(LINE)
    guarded.stage("a.py", "a = 2\n")
    assert guarded.commit("all that is tracked", "-a").returncode == 1


def test_a_line_that_was_there_before_does_not_stop_a_change_elsewhere(bare: Repository, program: Program) -> None:
    bare.stage("old.py", "\n" * 5 + LINE)
    passes(bare)
    bare.guard(program)
    bare.stage("old.py", "first = 1\n" + "\n" * 5 + LINE)
    passes(bare)
    bare.git("mv", "old.py", "moved.py")
    passes(bare)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a b\té\n.env", f"TOKEN={KEY}\n"),
        ("wide.txt", f"token {KEY}".encode("utf-16")),
        ("data.bin", b"\0\1\2" + KEY.encode() + b"\0"),
        ("-n.json", f'{{"t": "\\n{KEY}"}}'),
        ("no end.txt", LINE.rstrip()),
        ("windows.ini", LINE.replace("\n", "\r\n")),
    ],
)
def test_in_whatever_file(guarded: Repository, path: str, content: str | bytes) -> None:
    guarded.stage(path, content)
    stopped(guarded)


def test_the_message_is_looked_at(guarded: Repository) -> None:
    guarded.stage("a.py", "a = 1\n")
    stopped(guarded, "(commit message):3", message=f"use the key\n\n{KEY}")


def test_what_an_editor_only_shows_is_no_part_of_the_message(bare: Repository, program: Program) -> None:
    bare.stage("a.py", LINE)
    passes(bare)
    bare.guard(program)
    bare.stage("a.py", "token = None\n")
    editor = "sed -i '1s/^/the key goes/'"
    done = bare.git("commit", "--verbose", check=False, GIT_EDITOR=editor)
    assert done.returncode == 0, done.stderr
    bare.stage("a.py", "token = 0\n")
    done = bare.git("commit", check=False, GIT_EDITOR=f"sed -i '1s/^/{KEY}/'")
    assert done.returncode == 1


def test_without_an_editor_the_first_hook_leaves_it_to_the_second(guarded: Repository) -> None:
    guarded.stage("a.py", LINE)
    hooks = guarded.top / ".git" / "hooks"
    assert guarded.git("hook", "run", "pre-commit", check=False).returncode == 1
    assert guarded.git("hook", "run", "pre-commit", check=False, GIT_EDITOR=":").returncode == 0
    (hooks / "commit-msg").chmod(0o644)
    assert guarded.git("hook", "run", "pre-commit", check=False, GIT_EDITOR=":").returncode == 1
    (hooks / "commit-msg").write_text("#!/bin/sh\n# someone else's\n")
    (hooks / "commit-msg").chmod(0o755)
    assert guarded.git("hook", "run", "pre-commit", check=False, GIT_EDITOR=":").returncode == 1
    (hooks / "commit-msg").unlink()
    stopped(guarded, "a.py:1")


def test_an_archive_is_unpacked_and_a_damaged_one_is_told_of(guarded: Repository) -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner/.env", f"\nTOKEN={KEY}\n")
    guarded.stage("all.zip", packed.getvalue())
    stopped(guarded, "all.zip!inner/.env:2")
    guarded.stage("all.zip", packed.getvalue()[:60])
    done = guarded.commit()
    assert done.returncode == 0
    assert "not looked at whole: all.zip" in done.stderr


def test_a_line_may_be_allowed_and_a_publishable_key_needs_no_allowance(guarded: Repository) -> None:
    guarded.stage("a.py", LINE.rstrip() + "  # agentguard:allow\n")
    guarded.stage("b.js", "key = '" + "pk_" + "live_" + KEY[4:28] + "'\n")
    passes(guarded)


def test_a_merge_brings_in_nothing_that_the_other_side_has_already(bare: Repository, program: Program) -> None:
    bare.stage("a.py", "a = 1\n")
    passes(bare)
    bare.git("switch", "--quiet", "--create", "theirs")
    bare.stage("a.py", "a = 2\n" + LINE)
    passes(bare)
    bare.git("switch", "--quiet", "main")
    bare.guard(program)
    bare.stage("a.py", "a = 3\n")
    passes(bare)
    bare.git("merge", "theirs", check=False)
    bare.stage("a.py", "a = 4\n" + LINE)
    passes(bare, "merge theirs")
    bare.stage("a.py", f"a = 4\n{LINE}other = '{OTHER}'\n")
    assert "a.py:3" in bare.commit("more").stderr


def test_in_a_second_work_tree_and_in_a_submodule(guarded: Repository, program: Program, tmp_path: Path) -> None:
    guarded.stage("a.py", "a = 1\n")
    passes(guarded)
    guarded.git("worktree", "add", "--quiet", str(tmp_path / "second"))
    second = Repository(tmp_path / "second", guarded.home)
    second.stage("a.py", LINE)
    stopped(second, "a.py:1")
    library = new_repository(tmp_path / "library", guarded.home)
    library.stage("lib.py", "lib = 1\n")
    passes(library)
    guarded.git("submodule", "--quiet", "add", str(library.top), "lib")
    passes(guarded, "a submodule is no file")
    inner = Repository(guarded.top / "lib", guarded.home)
    inner.guard(program)
    inner.stage("lib.py", LINE)
    stopped(inner, "lib.py:1")


def test_large_files_are_looked_at_in_part_and_that_is_said(guarded: Repository) -> None:
    big = "0123456789abcde\n" * (9 << 16)
    guarded.stage("big.txt", big + LINE)
    guarded.stage("last.bin", b"\0" + KEY.encode())
    said = stopped(guarded, "last.bin  ")
    assert "big.txt: only its first 4 MB" in said


def test_what_is_beyond_the_bound_is_told(bare: Repository, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "MOST_BYTES", 40_000)
    monkeypatch.setattr(looking, "_MOST_OF_ONE", 10_000)
    monkeypatch.chdir(bare.top)
    for number in range(5):
        bare.stage(f"{number}.bin", b"\0" + f"{number} {KEY}".encode() + bytes(12_000))
    found = looked_at(program)
    assert [one.path for one in found.found] == ["0.bin", "1.bin", "2.bin"]
    assert [(one.path, one.reason[:6]) for one in found.unread][2:] == [("2.bin", "only i"), ("3.bin", "2 bina")]
    bare.stage("text.txt", "a line\n" * 8_000)
    assert [one.path for one in looked_at(program).unread][-1] == "the rest of what is staged"


def looked_at(program: Program) -> looking.Looking:
    found = looking.Looking(program.home)
    found.at_staged(GitPipe("diff", "--cached", *FORMAT))
    return found
