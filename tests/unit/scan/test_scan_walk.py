"""The files of a repository are those that git would take in; of any other folder, all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from harness.repository import new_repository

from agentguard.model.at_rest import Unread
from agentguard.scan.walk import Walk


def walk(root: Path | str = ".", **options: object) -> list[str]:
    found = list(Walk(**options).files(Path(root)))  # type: ignore[arg-type]
    assert not any(isinstance(one, Unread) for one in found)
    return sorted(str(one) for one in found)


@pytest.fixture(scope="module")
def top(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with ignored files, a submodule, another repository within, links and a pipe."""
    base = tmp_path_factory.mktemp("walk")
    home = base / "home"
    home.mkdir()
    library = new_repository(base / "library", home)
    library.stage("lib.py", "x\n")
    library.commit()
    repository = new_repository(base / "tree", home)
    repository.stage(".gitignore", "*.log\nbuild/\n")
    repository.stage("src/a.py", "x\n")
    repository.git("submodule", "--quiet", "add", str(library.top), "sub")
    repository.commit()
    top = repository.top
    new_repository(top / "inner", home).stage("own.txt", "x\n")
    (top / "new file.txt").write_text("x\n")
    (top / "noise.log").write_text("x\n")
    (top / "build").mkdir()
    (top / "build" / "out.js").write_text("x\n")
    (top / "loop").symlink_to(".")
    (top / "link.txt").symlink_to("src/a.py")
    os.mkfifo(top / "pipe")
    return top


@pytest.fixture
def tree(top: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """It is the working folder, too."""
    monkeypatch.chdir(top)
    return top


CONFIG = {".git/config", "inner/.git/config"}


def test_what_git_ignores_is_left_out_and_what_lies_within_is_not(tree: Path) -> None:
    assert set(walk()) == {
        *CONFIG,
        ".gitignore",
        ".gitmodules",
        "src/a.py",
        "new file.txt",
        "sub/lib.py",
        "inner/own.txt",
    }
    assert walk("src") == ["src/a.py"]
    assert walk(tree / "src") == [str(tree / "src" / "a.py")]


def test_all_of_it_on_request(tree: Path) -> None:
    assert {"noise.log", "build/out.js", "src/a.py"} <= set(walk(ignored=True))
    assert not any("loop" in name or "pipe" in name for name in walk(ignored=True))


def test_it_is_said_that_something_was_left_out(tree: Path) -> None:
    walk = Walk()
    assert list(walk.files(tree))
    assert walk.notes == ["What git ignores was not scanned (2 files and folders); --ignored scans it, too."]


def test_a_folder_that_is_ignored_but_named_was_asked_for(tree: Path) -> None:
    assert walk("build") == ["build/out.js"]


def test_exclude_takes_names_folders_and_paths(tree: Path) -> None:
    assert walk(exclude=["*.txt", "sub", "inner", ".git*"]) == ["src/a.py"]
    assert "src/a.py" not in walk(exclude=["src/*"])


def test_a_link_that_is_named_is_followed(tree: Path) -> None:
    assert walk("link.txt") == [str(tree / "src" / "a.py")]


def test_where_git_refuses_everything_is_listed_and_it_is_said(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: nowhere\n")
    (tmp_path / "a.txt").write_text("x\n")
    walk = Walk()
    assert {str(one).rpartition("/")[2] for one in walk.files(tmp_path)} == {".git", "a.txt"}
    assert "what git ignores was scanned, too" in walk.notes[0]


@pytest.mark.parametrize("name", ["missing", "/dev/null"])
def test_what_is_not_there_is_told(name: str, tmp_path: Path) -> None:
    (unread,) = Walk().files(tmp_path / name)
    assert isinstance(unread, Unread)
