"""The history of a real repository: every ref, stash and merge; on request what no ref leads to; nothing in silence."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

import pytest
from harness.repository import Repository, new_repository
from scan_support import KEYS, looker, reasons

from agentguard.errors import GitError
from agentguard.model.at_rest import MESSAGE, SecretAtRest
from agentguard.scan import history as history_module
from agentguard.scan.git import Git
from agentguard.scan.history import Range, commits, cut_short, dangling_blobs, look_at_blobs, look_at_commits
from agentguard.scan.tally import Tally

TEXT = [key.decode() for key in KEYS]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """One key in each place that a history has."""
    base = tmp_path_factory.mktemp("history")
    (base / "home").mkdir()
    one = new_repository(base / "work", base / "home")
    one.stage("a.txt", "one\ntwo\n")
    one.commit()
    one.stage('sp ace\t"ü.txt', f"x\n\nkey = {TEXT[0]}\n")
    one.commit()
    one.git("rm", "--quiet", 'sp ace\t"ü.txt')
    one.commit(f"gone: {TEXT[1]}")
    one.git("checkout", "--quiet", "-b", "side")
    one.stage("side.bin", b"\0\1" + gzip.compress(b"no archive") + KEYS[2] + b"\0")
    one.commit()
    one.git("checkout", "--quiet", "main")
    one.stage("a.txt", "one\ntwo\nthree\n")
    one.commit()
    one.git("merge", "--quiet", "--no-commit", "side")
    one.stage("evil.txt", f"{TEXT[3]}\n")
    one.commit()
    for key in TEXT[4:6]:
        (one.top / "a.txt").write_text(f"one\ntwo\nthree\nkey = {key}\n")
        one.git("stash", "push", "--quiet")
    one.stage("dangling.txt", f"{TEXT[6]}\n")
    one.commit()
    one.git("reset", "--quiet", "--hard", "HEAD~1")
    one.stage("never.txt", f"{TEXT[7]}\n")
    one.git("reset", "--quiet", "--hard")
    return one


def look(repository: Repository, wanted: Range) -> Tally:
    git, one = Git(repository.top), looker()
    for batch in commits(git, wanted):
        look_at_commits(one, batch)
    if wanted.dangling:
        look_at_blobs(one, (git.folder, dangling_blobs(git)))
    return one.handed_over()


def by_key(found: list[SecretAtRest]) -> dict[int, SecretAtRest]:
    """The first of each, by the number of its key."""
    numbers = {looker().scanner.scan("x", key)[0].match.fingerprint: at for at, key in enumerate(KEYS)}
    return {numbers[one.match.fingerprint]: one for one in reversed(found)}


def test_every_ref_stash_and_merge(repository: Repository) -> None:
    tally = look(repository, Range())
    found = by_key(tally.found)
    assert sorted(found) == [0, 1, 2, 3, 4, 5]
    assert {at: (one.path, one.line) for at, one in found.items()} == {
        0: ('sp ace\t"ü.txt', 3),
        1: (MESSAGE, 1),
        2: ("side.bin", 0),
        3: ("evil.txt", 1),
        4: ("a.txt", 4),
        5: ("a.txt", 4),
    }
    assert tally.unread == []
    assert tally.commits >= 8


def test_each_is_told_with_the_commit_that_brought_it_in(repository: Repository) -> None:
    commit = by_key(look(repository, Range()).found)[3].commit
    assert commit is not None
    told = repository.git("log", "-1", "--format=%H %an <%ae> %at", "main").stdout.strip()
    assert f"{commit.id} {commit.author} {commit.time:.0f}" == told


def test_on_request_what_no_ref_leads_to(repository: Repository) -> None:
    found = by_key(look(repository, Range(dangling=True)).found)
    assert sorted(found) == list(range(8))
    assert found[6].path == "dangling.txt"
    assert found[7].path.startswith("(dangling blob ")


def test_only_the_commits_that_were_asked_for(repository: Repository) -> None:
    assert sorted(by_key(look(repository, Range(("main~1..side",))).found)) == [2]
    with pytest.raises(GitError, match="rev-list failed"):
        commits(Git(repository.top), Range(("nothing..here",)))


def test_small_pieces_of_output_give_the_same(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = look(repository, Range())
    monkeypatch.setattr(history_module, "_BLOCK", 7)
    monkeypatch.setattr(history_module, "_GATHERED", 1)
    pieces = look(repository, Range())
    assert pieces.found == whole.found
    assert (pieces.commits, pieces.files) == (whole.commits, whole.files)


def test_a_shallow_clone_is_no_whole_history(repository: Repository, tmp_path: Path) -> None:
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.top}", str(tmp_path / "shallow"))
    assert "git fetch --unshallow" in cut_short(Git(tmp_path / "shallow"))
    assert cut_short(Git(repository.top)) == ""


def test_a_missing_object_is_told(repository: Repository, tmp_path: Path) -> None:
    subprocess.run(["cp", "-a", str(repository.top), str(tmp_path / "broken")], check=True)
    broken = Repository(tmp_path / "broken", repository.home)
    blob = broken.git("rev-parse", "side:side.bin").stdout.strip()
    (broken.top / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    tally = look(broken, Range())
    assert 3 in by_key(tally.found) or reasons(tally)
    assert any("failed" in reason for reason in reasons(tally).values())


def test_the_users_configuration_changes_nothing(repository: Repository, tmp_path: Path) -> None:
    subprocess.run(["cp", "-a", str(repository.top), str(tmp_path / "odd")], check=True)
    odd = Repository(tmp_path / "odd", repository.home)
    for name, value in {
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "diff.external": "false",
        "diff.context": "9",
        "log.showRoot": "false",
        "log.showSignature": "true",
        "color.ui": "always",
        "core.pager": "false",
        "diff.renames": "copies",
        "core.quotePath": "true",
        "format.pretty": "oneline",
    }.items():
        odd.git("config", name, value)
    (odd.top / ".git" / "info" / "attributes").write_text("*.txt -diff\n")
    assert sorted(by_key(look(odd, Range()).found)) == [0, 1, 2, 3, 4, 5]
