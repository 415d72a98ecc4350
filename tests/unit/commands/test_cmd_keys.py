"""`agentguard keys`, through the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from harness.planted import made_key
from record_builders import FINGERPRINT, HOSTILE, SECOND, START, make_home, match, read, record_walk, send, session

from agentguard.cli import main
from agentguard.commands.keys import MOST_TASKS
from agentguard.config import Home
from agentguard.model.at_rest import Commit, SecretAtRest
from agentguard.model.credential import FoundBy
from agentguard.model.secret import KNOWN_VALUE
from agentguard.model.verdict import Outcome, Severity
from agentguard.record.at_rest import Run, keep_at_rest
from agentguard.record.writer import Writer

Keys = Callable[..., str]
GITHUB, VALUE = "0c" * 16, "5e" * 16


@pytest.fixture
def guard_home(tmp_path: Path) -> Home:
    return make_home(tmp_path)


@pytest.fixture
def keys(guard_home: Home, capsys: pytest.CaptureFixture[str]) -> Keys:
    def call(*words: str, status: int = 0) -> str:
        assert main(["keys", "--home", str(guard_home.root), *words]) == status
        printed = capsys.readouterr()
        return printed.err if status else printed.out

    return call


@pytest.fixture
def seen(guard_home: Home, tmp_path: Path) -> Path:
    """A key leaked in a session, a value of hostile name in a prompt, a token in a file and in a commit."""
    writer = Writer(guard_home)
    writer.start()
    record_walk(writer)
    value = match(fingerprint=VALUE, type=KNOWN_VALUE, name=HOSTILE, place="body", issuer_hosts=(), source_path="")
    finding, verdict = send(5, host="api.model.example", matches=(value,))
    writer.append(finding, replace(verdict, outcome=Outcome.EXPOSED))
    writer.flush(5)
    writer.close()
    file = tmp_path / "src" / "config.py"
    file.parent.mkdir()
    file.touch()
    token = match(fingerprint=GITHUB, type="github-token", name="", source_path="")
    here = SecretAtRest(path="src/config.py", line=3, column=1, match=token, severity=Severity.HIGH)
    before = replace(here, commit=Commit(id="ab" * 20, time=1_600_000_000.0))
    keep_at_rest(guard_home, [here, before], Run(found_by=FoundBy.SCAN, root=tmp_path, time_ns=START + 9 * SECOND))
    return file


@pytest.mark.usefixtures("seen")
def test_a_person_reads_what_to_rotate_first_and_then_everything(keys: Keys, guard_home: Home) -> None:
    text = keys("--format", "text")
    assert text.splitlines()[0] == "To rotate: 3 of 3 credentials, the most urgent first"
    for words in (
        "  1  ▲ now: leaked  OPENAI_API_KEY  7f3a91c27f3a",
        "Revoke OPENAI_API_KEY now, and put a new one in its place.",
        "OpenAI project key. It went to paste.example 2026-01-31",
        "where  https://platform.openai.com/api-keys",
        f"done?  agentguard keys rotated 7f3a91c27f3a --home {guard_home.root}",
        "  2  ◆ soon: exposed",
        "  3  ■ soon: committed",
        "src/config.py:3 in commit abababab: whoever has a copy of the repository has it.",
    ):
        assert " ".join(words.split()) in " ".join(text.split())
    table = text[text.index("FINGERPRINT") :].splitlines()
    assert [line[:12] for line in table[1:]] == [FINGERPRINT[:12], VALUE[:12], GITHUB[:12]]
    assert "claude-code 1×" in table[1]
    assert "paste.example" in table[1]
    assert "FINGERPRINT" not in keys("worklist", "--format", "text")


@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize("words", [(), ("worklist",), ("show", VALUE)])
def test_hostile_names_are_shown_harmlessly(keys: Keys, words: tuple[str, ...]) -> None:
    text = keys(*words, "--format", "text")
    assert "\\x1b[31m" in text or "…" in text
    assert not set(text) & set("\x1b\u202e\u200b")
    assert keys(*words, "--format", "json").isascii()


def test_one_credential_in_full(keys: Keys, seen: Path) -> None:
    text = keys("show", FINGERPRINT[:6], "--format", "text")
    for words in (
        "OPENAI_API_KEY  ▲ leaked",
        "OpenAI project key, project key",
        f"fingerprint  {FINGERPRINT}, shown as sk-p…9Q",
        "/home/dev/src/shop/.env  seen in a session",
        "; gone ",
        "claude-code  read 1 time in 1 session",
        "last by python3",
        "▲ leaked  paste.example  1 time",
        "last by curl (claude-code)",
        f"agentguard events --search {FINGERPRINT} --home",
    ):
        assert words in text
    assert f"{seen.resolve()}:3  found by scan" in keys("show", GITHUB, "--format", "text")
    assert f"{seen.resolve()}:3 in commit abababab of 2020-09-13" in keys("show", GITHUB, "--format", "text")


@pytest.mark.usefixtures("seen")
def test_a_program_gets_all_of_it(keys: Keys) -> None:
    found = json.loads(keys())
    assert found["schema"] == "agentguard-keys/1"
    assert [(task["cause"], task["urgency"]) for task in found["worklist"]] == [
        ("leaked", "now"),
        ("exposed", "soon"),
        ("committed", "soon"),
    ]
    assert found["worklist"][0]["page"] == "https://platform.openai.com/api-keys"
    one = next(one for one in found["credentials"] if one["fingerprint"] == FINGERPRINT)
    assert (one["scope"], one["provider"], one["first_seen"]) == ("project", "openai", "2026-01-31T14:31:19.000000Z")
    assert (one["outcome"], one["cause"]) == ("leaked", "leaked")
    (reader,), (receiver,) = one["readers"], one["receivers"]
    assert (reader["agent"], reader["way"], reader["count"], reader["processes"]) == (
        *("claude-code", "read", 1),
        ["python3"],
    )
    assert (receiver["host"], receiver["outcome"], receiver["count"]) == ("paste.example", "leaked", 1)
    assert json.loads(keys("worklist"))["credentials"] == []
    assert [one["fingerprint"] for one in json.loads(keys("show", GITHUB))["credentials"]] == [GITHUB]


@pytest.mark.usefixtures("seen")
def test_rotated_leaves_the_worklist_and_comes_back_with_its_old_value(keys: Keys, guard_home: Home) -> None:
    assert "OPENAI_API_KEY (7f3a91c27f3a) is marked as rotated" in keys("rotated", FINGERPRINT[:12])
    assert FINGERPRINT not in [task["fingerprint"] for task in json.loads(keys("worklist"))["worklist"]]
    assert "✓ rotated" in keys("--format", "text")
    (one,) = json.loads(keys("show", FINGERPRINT))["credentials"]
    assert (one["outcome"], one["cause"]) == ("leaked", None)

    writer = Writer(guard_home)
    writer.start()
    writer.begin_session(session("s-two", agent="codex"))
    later = 86_400 * 365 * 40  # s: after the mark, whenever this runs
    writer.append(*read(later, session="s-two", agent="codex"))
    writer.flush(5)
    writer.close()
    first = json.loads(keys("worklist"))["worklist"][0]
    assert (first["fingerprint"], first["cause"]) == (FINGERPRINT, "still-used")
    assert "its old value was read by python3 (codex)" in first["why"]

    assert "is not marked as rotated" in keys("rotated", FINGERPRINT[:12], "--undo")
    assert json.loads(keys("worklist"))["worklist"][0]["cause"] == "leaked"


def test_many_tasks_are_told_by_the_worklist_and_what_is_nowhere_is_counted(
    keys: Keys, guard_home: Home, tmp_path: Path
) -> None:
    def found(number: int, path: str) -> SecretAtRest:
        token = match(fingerprint=f"{number:032x}", type="github-token", name="", source_path="")
        return SecretAtRest(path=path, line=1, column=1, match=token, severity=Severity.HIGH)

    (tmp_path / "a.py").touch()
    there = [found(number, "a.py") for number in range(MOST_TASKS + 2)]
    keep_at_rest(
        guard_home,
        [*there, found(99, "removed.py")],
        Run(found_by=FoundBy.SCAN, root=tmp_path, time_ns=START),
    )
    text = keys("--format", "text")
    assert text.count("done?") == MOST_TASKS
    assert "and 2 more that are less urgent: agentguard keys worklist" in text
    assert "and 1 more, nowhere any more and not seen for 30 days" in text
    assert keys("worklist", "--format", "text").count("done?") == MOST_TASKS + 2
    assert len(json.loads(keys())["credentials"]) == MOST_TASKS + 3


def test_a_file_that_was_deleted_holds_nothing(keys: Keys, seen: Path) -> None:
    def lives() -> list[str | None]:
        (one,) = json.loads(keys("show", GITHUB))["credentials"]
        return [place["path"] for place in one["places"] if not place["commit"] and not place["gone"]]

    assert lives() == [str(seen.resolve())]
    seen.unlink()
    assert lives() == []


def test_what_was_moved_out_of_a_file_is_gone_from_it_at_the_next_scan(
    keys: Keys, guard_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    for name, comment in (("config.py", ""), ("stays.py", ""), ("test.py", "  # agentguard:allow")):
        (project / name).write_text(f'KEY = "{made_key()}"{comment}\n')

    def scan() -> list[str]:
        main(["scan", "--home", str(guard_home.root), "--jobs", "1"])
        capsys.readouterr()
        places = [place for one in json.loads(keys())["credentials"] for place in one["places"]]
        return sorted(Path(place["path"]).name for place in places if not place["gone"])

    assert scan() == ["config.py", "stays.py"]
    (project / "config.py").write_text("KEY = os.environ['KEY']\n")
    assert scan() == ["stays.py"]


def test_who_is_no_known_agent_is_told_by_its_program(keys: Keys, guard_home: Home) -> None:
    writer = Writer(guard_home)
    writer.start()
    writer.begin_session(session(agent="unknown"))
    writer.append(*read(1, agent="unknown"))
    writer.append(*read(2, agent="unknown", process=None))
    writer.append(*send(3, agent="unknown"))
    writer.flush(5)
    writer.close()
    assert "? 2×" in keys("--format", "text")
    full = keys("show", FINGERPRINT, "--format", "text")
    assert "unknown agent  read 2 times in 1 session" in full
    assert "last by curl\n" in full


def test_nothing_known_is_no_error(keys: Keys, guard_home: Home) -> None:
    assert json.loads(keys())["credentials"] == []
    assert keys("--format", "text") == ""
    assert not guard_home.database.exists()
    assert "no credential 'ff'" in keys("rotated", "ff", status=2)


@pytest.mark.usefixtures("seen")
def test_a_name_that_no_credential_has_is_an_error(keys: Keys) -> None:
    assert "no credential 'ff'; `agentguard keys` lists them" in keys("show", "ff", status=2)
