"""`agentguard scan`, whole: what it prints, how it ends, and that no value is written anywhere."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from harness.ordinary_user import UID, open_folder, ordinary_user_prefix
from harness.repository import Repository, made_up_key, new_repository
from schema_check import faults

from agentguard.cli import main
from agentguard.config import Home
from agentguard.record.looks import Looks

KEY, OTHER = made_up_key(1), made_up_key(2)


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all: its compiled engine is made once."""
    return tmp_path_factory.mktemp("guard")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository, and the working folder."""
    (tmp_path / "home").mkdir()
    repository = new_repository(tmp_path / "shop", tmp_path / "home")
    repository.stage("src/pay.py", f"import os\n\nkey = '{KEY}'\n")
    repository.stage("README.md", "A shop.\n")
    monkeypatch.chdir(repository.top)
    return repository


def scan(guard: Path, *words: str) -> int:
    return main(["scan", "--home", str(guard), *words])


def objects(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    return json.loads(capsys.readouterr().out)


def test_a_person_reads_where_what_and_what_next(
    shop: Repository, guard: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scan(guard) == 1
    said = capsys.readouterr()
    header, row = said.out.splitlines()
    assert header.split() == ["WHERE", "SEVERITY", "WHAT", "VALUE", "NAME"]
    assert row.startswith("src/pay.py:3:8  low       GitHub personal access token (classic)  ghp_")
    assert said.err.startswith("1 credential in 3 files (")
    assert "GitHub personal access token (classic): https://github.com/settings/tokens" in said.err
    assert "\x1b" not in said.out + said.err
    assert KEY not in said.out + said.err


def test_a_clean_tree_ends_with_0(guard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("nothing here\n")
    assert scan(guard, str(tmp_path)) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("No credential in 1 file (13 bytes, ")


def test_what_could_not_be_scanned_ends_with_2_whatever_was_found(
    shop: Repository, guard: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scan(guard, "src", "missing") == 2
    said = capsys.readouterr()
    assert "src/pay.py:3:8" in said.out
    assert "  missing: No such file or directory" in said.err
    (shop.top / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    assert scan(guard, "--format", "json", "broken.zip") == 2
    said = objects(capsys)
    assert said["unread"] == [{"path": "broken.zip", "reason": "a damaged archive"}]
    assert faults(said, "scan") == []


def test_staged_is_what_the_index_holds_and_only_new_lines(
    shop: Repository, guard: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.commit()
    shop.stage("src/pay.py", f"import os\n\nkey = '{KEY}'\n\nother = '{OTHER}'\n")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("conf/app.env", f"A=1\nKEY={KEY}\n")
    shop.stage("app.jar", archive.getvalue())
    (shop.top / "src" / "pay.py").write_text("clean on the disk\n")
    for variable in ("name", "email"):
        shop.git("config", f"user.{variable}", "")  # no identity: it needs none
    assert scan(guard, "--staged", "--format", "json") == 1
    said = objects(capsys)
    assert faults(said, "scan") == []
    found = said["found"]
    assert [(one["path"], one["line"]) for one in found] == [("app.jar!conf/app.env", 2), ("src/pay.py", 5)]


def test_history_tells_the_commit_and_a_shallow_clone_ends_with_2(
    shop: Repository, guard: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.commit()
    shop.git("rm", "--quiet", "src/pay.py")
    shop.commit("take it out")
    assert scan(guard) == 0
    assert scan(guard, "--history") == 1
    said = capsys.readouterr()
    first = shop.git("rev-list", "--max-parents=0", "HEAD").stdout[:12]
    assert f"  {first} " in said.out
    assert "in 2 commits with 2 changed files" in said.err
    shop.git("clone", "--quiet", "--depth=1", f"file://{shop.top}", str(shop.home / "shallow"))
    assert scan(guard, "--history", str(shop.home / "shallow")) == 2
    assert "git fetch --unshallow" in capsys.readouterr().err


def test_outside_a_repository_history_and_staged_are_errors(
    guard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert scan(guard, "--history") == 2
    assert scan(guard, "--staged") == 2
    assert capsys.readouterr().err.count(f"{tmp_path} is in no git repository; name a folder that is") == 2


@pytest.mark.parametrize(
    "words",
    [
        ["--staged", "src"],
        ["--stdin", "--history"],
        ["--dangling"],
        ["--history", "a", "b"],
        ["--update-baseline"],
        ["--jobs", "-1"],
        ["--min-severity", "grave"],
    ],
)
def test_what_makes_no_sense_is_said(words: list[str], guard: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scan(guard, *words) == 2
    assert capsys.readouterr().err.startswith("agentguard: ")


def test_a_baseline_knows_what_was_there_from_any_folder(
    shop: Repository, guard: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scan(guard, "--baseline", "known.json") == 2
    assert scan(guard, "--baseline", "known.json", "--update-baseline") == 0
    assert "known.json: 1 credential known (1 new, 0 gone)." in capsys.readouterr().err
    assert KEY not in (shop.top / "known.json").read_text()
    (shop.top / "src" / "pay.py").write_text(f"\n\n\n\nkey = '{KEY}'\n")
    assert scan(guard, "--baseline", "known.json") == 0
    assert "Passed over: 1 known to the baseline." in capsys.readouterr().err
    monkeypatch.chdir(shop.top / "src")
    (shop.top / "src" / "new.py").write_text(f"key = '{KEY}'\n")
    assert scan(guard, "--baseline", "../known.json") == 1
    assert capsys.readouterr().out.splitlines()[1].startswith("new.py:1:8 ")


def test_sarif_is_what_the_standard_asks_for(shop: Repository, guard: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop.top / "caf\u00e9 [1].env").write_text(f"KEY={OTHER}\n")
    assert scan(guard, "--format", "sarif", ".", "missing") == 2
    log = objects(capsys)
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["github-personal-token"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in {"none", "note", "warning", "error"}
        assert result["message"]["text"]
        assert len(result["partialFingerprints"]["agentguard/v1"]) == 32
    place = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert {"uri": "src/pay.py", "uriBaseId": "%SRCROOT%"} in [one["artifactLocation"] for one in place]
    assert "caf%C3%A9%20%5B1%5D.env" in [one["artifactLocation"]["uri"] for one in place]
    assert all(one["region"]["startLine"] >= 1 for one in place)
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "No such file" in invocation["toolExecutionNotifications"][0]["message"]["text"]
    first = {result["partialFingerprints"]["agentguard/v1"] for result in run["results"]}
    (shop.top / "src" / "pay.py").write_text(f"\n\n\n\n\nkey = '{KEY}'\n")
    scan(shop.home / "another guard", "--format", "sarif")
    again = {one["partialFingerprints"]["agentguard/v1"] for one in objects(capsys)["runs"][0]["results"]}
    assert first == again


def test_nothing_that_is_written_holds_a_value(
    shop: Repository, guard: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shop.commit(f"with {OTHER}")
    for form in ("table", "json", "sarif"):
        assert scan(guard, "--history", "--format", form, "--output", str(tmp_path / form)) == 1
    assert scan(guard, "--baseline", str(tmp_path / "known.json"), "--update-baseline") == 0
    said = capsys.readouterr()
    written = [path for path in (*guard.rglob("*"), *tmp_path.glob("*")) if path.is_file()]
    assert {"agentguard.db", "json", "known.json"} <= {path.name for path in written}
    everything = b"".join(path.read_bytes() for path in written) + said.out.encode() + said.err.encode()
    assert [key for key in (KEY, OTHER) if key.encode() in everything] == []


def test_several_processes_find_what_one_finds(guard: Path, tmp_path: Path) -> None:
    for number in range(400):
        (tmp_path / f"{number}.txt").write_text(f"key = '{KEY if number % 40 == 7 else 'none'}'\n")
    results = []
    for jobs in ("1", "3"):
        command = [sys.executable, "-m", "agentguard", "scan", "--home", str(guard), "--format", "json", "--jobs", jobs]
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[3])}
        done = subprocess.run([*command, str(tmp_path)], env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stderr
        results.append(json.loads(done.stdout))
    one, three = results
    assert len(one["found"]) == 10
    assert one["found"] == three["found"]
    assert one["scanned"]["bytes"] == three["scanned"]["bytes"]


def test_a_pipe_is_read(guard: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"a\nKEY={KEY}\n".encode())))
    assert scan(guard, "--stdin", "--format", "json") == 1
    assert [(one["path"], one["line"], one["name"]) for one in objects(capsys)["found"]] == [("(stdin)", 2, "KEY")]


def test_an_ordinary_user_without_a_home_scans_and_is_told_what_may_not_be_read() -> None:
    prefix = ordinary_user_prefix()
    with open_folder() as folder:
        project = folder / "project"
        project.mkdir()
        (project / "a.env").write_text(f"KEY={KEY}\n")
        (project / "closed.env").write_text(f"KEY={OTHER}\n")
        (project / "closed.env").chmod(0)
        if os.getuid() == 0:
            os.chown(project / "closed.env", UID + 1 if UID < 65534 else 1, -1)
        environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": str(Path(__file__).parents[3])}
        command = [*prefix, sys.executable, "-m", "agentguard", "scan", "--format", "json", str(project)]
        done = subprocess.run(command, env=environ, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    told = json.loads(done.stdout)
    assert [Path(one["path"]).name for one in told["found"]] == ["a.env"]
    assert [one["reason"] for one in told["unread"]] == ["Permission denied"]


def test_a_terminal_sees_how_far_it_is_and_colours(guard: Path, tmp_path: Path) -> None:
    from agentguard.show.progress import ProgressLine

    outer, inner = pty.openpty()
    with open(inner, "w", encoding="utf-8") as terminal, ProgressLine(terminal) as line:
        line._next = 0.0
        line.tell(1, 4, "1 of 4 files")
    said = ""
    while not said.endswith("\r\x1b[K") or said.count("\x1b[K") < 2:
        said += os.read(outer, 4096).decode()
    os.close(outer)
    assert "[######.................." in said
    assert "25%  1 of 4 files" in said


def test_a_guard_that_watches_knows_who_opened_the_files(shop: Repository, tmp_path: Path) -> None:
    folder = tmp_path / "a guard's"
    scan(folder)
    looks = Looks(Home(folder).looks, Home(folder).looks_key(), time.time_ns)
    looks.note(0, 0)  # one has been here
    shop.stage(".env", "MODE=plain\n")
    before = time.time_ns()
    scan(folder)
    told = [(shop.top / name).stat() for name in ("src/pay.py", ".env", "README.md")]
    assert [looks.seen(one.st_dev, one.st_ino, before) for one in told] == [True, True, False]
