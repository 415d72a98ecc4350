"""`agentguard check`, whole: what it prints, what it keeps, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from harness.ordinary_user import open_folder, ordinary_user_prefix
from harness.untidy import Keys, Project, untidy_home, untidy_project, write

from agentguard.cli import main
from agentguard.config import Home
from agentguard.record.looks import Looks

KEYS = Keys()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return untidy_project(tmp_path_factory.mktemp("world") / "shop", KEYS)


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all: its compiled engine is made once."""
    return tmp_path_factory.mktemp("guard")


def check(guard: Path, *words: str) -> int:
    return main(["check", "--home", str(guard), *words])


def found(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    return json.loads(capsys.readouterr().out)


def test_a_person_reads_the_score_and_the_first_step_first(
    shop: Project, guard: Path, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shop.root)
    untidy_home(home, KEYS)
    assert check(guard, "--home-folder") == 1
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert lines[0].startswith("Score ")
    assert lines[4] == "DO THIS FIRST"
    assert ".env is committed to git" in lines[5]
    assert any(line.strip().startswith("$ git rm --cached -- .env") for line in lines[6:12])
    assert "\x1b" not in said
    assert [value for value in KEYS.made.values() if value in said] == []


def test_nothing_that_is_kept_holds_a_value(shop: Project, guard: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(guard, str(shop.root), "--format", "json")
    said = capsys.readouterr().out.encode()
    kept = b"".join(path.read_bytes() for path in guard.rglob("*") if path.is_file())
    assert len(kept) > 10_000
    assert [name for name, value in KEYS.made.items() if value.encode() in kept + said] == []


def test_the_next_look_compares(
    tmp_path: Path, guard: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a.py", f'KEY = "{KEYS.stripe("a")}"\n')
    write(tmp_path, "b.py", f'KEY = "{KEYS.openai("b")}"\n')
    check(guard, str(tmp_path))
    assert ", was " not in capsys.readouterr().out
    (tmp_path / "b.py").unlink()
    write(tmp_path, "c.py", f'KEY = "{KEYS.github("c")}"\n')
    assert check(guard, str(tmp_path)) == 1
    first = capsys.readouterr().out.splitlines()[0]
    assert "1 put right, 2 new" in first
    (tmp_path / "a.py").unlink()
    (tmp_path / "c.py").unlink()
    assert check(guard, str(tmp_path)) == 0
    assert "Score 100 of 100, was " in capsys.readouterr().out


def test_it_feeds_the_inventory_and_knows_what_was_replaced(
    tmp_path: Path, guard: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "pay.py", f'KEY = "{KEYS.stripe("inventory")}"\n')
    assert check(guard, str(tmp_path), "--format", "json") == 1
    (one,) = found(capsys)["findings"]
    main(["keys", "--home", str(guard), "--format", "json"])
    assert str(tmp_path / "pay.py") in capsys.readouterr().out
    main(["keys", "rotated", one["fingerprint"], "--home", str(guard)])
    assert check(guard, str(tmp_path)) == 0


def test_a_guard_that_watches_knows_who_opened_the_files(tmp_path: Path, guard: Path) -> None:
    paths = [write(tmp_path, name, f"KEY={KEYS.stripe(name)}\n") for name in (".env", "settings.py", "plain.txt")]
    paths[2].write_text("nothing")
    before = time.time_ns()
    check(guard, str(tmp_path))
    looks = Looks(Home(guard).looks, Home(guard).looks_key(), time.time_ns)
    told = [looks.seen(path.stat().st_dev, path.stat().st_ino, before) for path in paths]
    assert told == [True, True, False]


def test_sarif_names_places_as_one_would_type_them(
    shop: Project, guard: Path, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    untidy_home(home, KEYS)
    monkeypatch.chdir(shop.root.parent)
    check(guard, "shop", "--home-folder", "--format", "sarif")
    text = capsys.readouterr().out
    (run,) = json.loads(text)["runs"]
    places = {one["ruleId"]: one["locations"][0]["physicalLocation"] for one in run["results"]}
    assert places["secret-file-tracked"] == {
        "artifactLocation": {"uri": "shop/.env", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 1},
    }
    assert places["key-in-shell-history"]["artifactLocation"] == {"uri": f"file://{home}/.bash_history"}
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[one["ruleIndex"]] for one in run["results"]] == [one["ruleId"] for one in run["results"]]
    assert [name for name, value in KEYS.made.items() if value in text] == []


def test_how_it_ends(shop: Project, guard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, ".env", "PORT=1\n")
    assert check(guard, str(tmp_path)) == 0
    assert check(guard, str(shop.root), "--fail-on", "critical") == 1
    write(tmp_path, "x.py", f'KEY = "{KEYS.password("generic")}"\n')
    assert check(guard, str(tmp_path), "--fail-on", "critical") == 0
    write(tmp_path, ".mcp.json", "{")
    assert check(guard, str(tmp_path)) == 2
    assert ".mcp.json: not valid JSON" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["/nowhere/at/all"], ["--older-than", "-1"], [os.sep], ["~"]])
def test_what_makes_no_sense_is_refused(
    words: list[str], guard: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(guard, *(str(home) if word == "~" else word for word in words)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("agentguard: ")
    assert said.err.count("\n") == 1


def test_the_home_folder_is_looked_at_only_where_asked(
    tmp_path: Path, guard: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    untidy_home(home, KEYS)
    write(tmp_path, "a.txt", "nothing")
    assert check(guard, str(tmp_path), "--format", "json") == 0
    assert check(guard, str(tmp_path), "--format", "json", "--home-folder") == 1
    first, second = (json.loads(part) for part in capsys.readouterr().out.replace("}\n{", "}\n\0{").split("\0"))
    assert first["findings"] == []
    assert {one["check"] for one in second["findings"]} >= {
        "key-in-shell-history",
        "key-in-transcript",
        "mcp-inline-secret",
    }


@pytest.mark.slow
def test_an_ordinary_user_is_told_what_could_not_be_read() -> None:
    prefix = ordinary_user_prefix()
    with open_folder() as folder:
        project = folder / "shop"
        write(project, "a.py", f'KEY = "{KEYS.stripe("mine")}"\n', mode=0o644)
        closed = write(project, "b.py", "nothing", mode=0o000)
        project.chmod(0o777)
        if not prefix and os.getuid() == 0:
            pytest.skip("root reads everything")
        environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "AGENTGUARD_HOME": str(folder / "guard")}
        environ["PYTHONPATH"] = str(Path(__file__).parents[3])
        command = [*prefix, sys.executable, "-m", "agentguard", "check", str(project)]
        done = subprocess.run(command, env=environ, cwd="/", capture_output=True, text=True, check=False)
        closed.chmod(0o600)
    assert done.returncode == 2, done.stderr
    assert "! b.py: Permission denied" in done.stdout
    assert "is written into a.py" in done.stdout
    assert "Run the commands in that folder." in done.stdout
