"""Which files a scan has gone through, asked of places that it did not find again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from agentguard.model.at_rest import Unread
from agentguard.scan.looked import Looked


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "lib").mkdir()
    for name in ("a.py", "b.zip", "lib/c.py"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def looked(
    tree: Path, roots: Sequence[str], *, exclude: tuple[str, ...] = (), unread: tuple[str, ...] = ()
) -> set[str]:
    """Of all places there may be, those that were looked at."""
    found = Looked(
        Path(),
        [Path(root) for root in roots],
        ignored=True,
        exclude=exclude,
        unread=[Unread(path=path, reason="Permission denied") for path in unread],
    )
    places = ("a.py", "b.zip", "b.zip!inner/x.py", "lib/c.py", "gone.py")
    return {place for place in places if found.at(str(tree / place))}


def test_what_lies_below_what_was_asked_for(tree: Path) -> None:
    assert looked(tree, ["."]) == {"a.py", "b.zip", "b.zip!inner/x.py", "lib/c.py", "gone.py"}
    assert looked(tree, ["lib"]) == {"lib/c.py", "gone.py"}
    assert looked(tree, [str(tree / "lib" / "c.py"), "lib/../a.py"]) == {"a.py", "lib/c.py", "gone.py"}
    assert looked(tree, []) == set(), "a history: no file was looked at"


def test_what_was_left_out_or_could_not_be_read_was_not_looked_at(tree: Path) -> None:
    assert looked(tree, ["."], exclude=("lib", "*.zip")) == {"a.py", "gone.py"}
    assert looked(tree, ["."], unread=("a.py", "b.zip!inner/x.py")) == {"lib/c.py", "gone.py"}


def test_from_a_folder_within(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree / "lib")
    assert looked(tree, [".."]) == {"a.py", "b.zip", "b.zip!inner/x.py", "lib/c.py", "gone.py"}
