"""Names that attack whoever reads them go through every verb and every format, into a pipe and onto a terminal.

Nothing but what is allowed comes out: text without a control, a bidirectional or an invisible character, colours on a
terminal alone; JSON in ASCII; CSV without a formula; Markdown and HTML without markup, a link or a picture of theirs.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from formats_sample import NASTY
from harness.repository import made_up_key, new_repository
from harness.shown import COLOUR, faults_of, harmful, on_a_terminal, piped

from agentguard.config import Home

SESSION = ("s-all", "s-hostile", "s-rare")

RECORDED = [
    *(("events", form) for form in ("text", "json", "jsonl", "csv", "ocsf")),
    *(("sessions", form) for form in ("text", "json", "jsonl", "csv")),
    *((words, form) for words in ("keys", "keys worklist", "keys show 7f3a91") for form in ("text", "json", "csv")),
    *(
        (f"report {uid} -o -", form)
        for uid in SESSION
        for form in ("text", "html", "markdown", "json", "csv", "sarif", "ocsf")
    ),
    *(("report --since 1970-01-02 -o -", form) for form in ("text", "html", "markdown", "json", "csv")),
    *(
        (words, form)
        for words in ("compare s-all s-hostile", "compare s-hostile s-rare")
        for form in ("text", "html", "markdown", "json")
    ),
    *(("verify", form) for form in ("text", "json")),
    *(("status", form) for form in ("text", "json")),
    *(("policy explain --event s-hostile-e1", form) for form in ("text", "json")),
]
"""Verb and format, over the sessions of `formats_sample`."""

IN_A_FOLDER = [
    *(("scan .", form) for form in ("text", "json", "csv", "sarif")),
    *(("check --no-history", form) for form in ("text", "json", "csv", "sarif")),
    *(("hook status git", form) for form in ("text", "json")),
    *((f"policy {verb}", form) for verb in ("check", "list", "test") for form in ("text", "json")),
]
"""The same in a repository with hostile names, one of them its own."""


_HOSTILE_RULE = {
    "id": "quiet",
    "description": NASTY.encode("unicode_escape").decode(),
    "when": {"kind": "file"},
    "then": {
        "disposition": "logged",
        "severity": "low",
        "outcome": "clean",
        "reason": "<script>alert(1)</script> [bold]`*_|",
    },
}
"""JSON is YAML, too."""


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all: its compiled engine is made once."""
    return tmp_path_factory.mktemp("guard")


@pytest.fixture(scope="module")
def hostile_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("hostile")
    (base / "home").mkdir()
    name = NASTY.replace("/", "∕").encode("utf-8", "surrogateescape")[:200].decode("utf-8", "ignore")
    repository = new_repository(base / name, base / "home")
    for number, part in enumerate((name, f"-{name[:60]}", f"=1+1 {name[-40:]}")):
        place = repository.top / part
        place.mkdir()
        (place / f"{name[:80]}.py").write_text(f"key = '{made_up_key(number + 1)}'\n")
        (place / ".env").write_text(f"API_TOKEN={made_up_key(number + 11)}\n")
    (repository.top / ".agentguard.yaml").write_text(json.dumps({"version": 1, "rules": [_HOSTILE_RULE]}))
    return repository.top


@pytest.mark.parametrize(("words", "form"), RECORDED)
def test_what_was_recorded_is_shown_harmlessly(told: Home, tmp_path: Path, words: str, form: str) -> None:
    _check([*words.split(), "--format", form, "--home", str(told.root)], form, tmp_path)


@pytest.mark.parametrize(("words", "form"), IN_A_FOLDER)
def test_what_lies_there_is_shown_harmlessly(
    guard: Path, hostile_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, form: str
) -> None:
    monkeypatch.chdir(hostile_folder)
    verb, *more = words.split()
    _check([verb, "--home", str(guard), *more, "--format", form], form, tmp_path)


def _check(words: list[str], form: str, folder: Path) -> None:
    text = piped(words, folder)
    out = (folder / "out").read_bytes().decode()
    assert "Traceback" not in text
    assert harmful(text) == []
    assert out or form == "text"
    assert out == "" or faults_of(form, out) == []
    if form in ("text", "csv", "markdown"):  # the others are ASCII, or a page, wherever they go
        assert harmful(on_a_terminal(words)) == []


@pytest.mark.parametrize(
    "words",
    [
        [NASTY],
        ["report", NASTY],
        ["compare", NASTY],
        ["report", "--since", NASTY],
        ["report", "s-all", "--format", NASTY],
        ["report", "s-all", "-o", f"/none/{NASTY}"],
        ["events", "--session", NASTY],
        ["events", "--filter", NASTY],
        ["keys", "show", NASTY],
        ["schema", NASTY],
        ["policy", "check", NASTY],
        ["policy", "explain", "--event", NASTY],
        ["scan", "--staged", "--baseline", NASTY],
        ["check", NASTY],
        ["hook", "status", "git", "--repository", NASTY],
    ],
    ids=lambda words: " ".join(words)[:16],
)
def test_an_error_is_told_harmlessly(told: Home, tmp_path: Path, words: list[str]) -> None:
    at_home = [] if len(words) == 1 or words[0] == "hook" else ["--home", str(told.root)]
    text = piped([*words[:1], *at_home, *words[1:]], tmp_path)
    assert text.startswith("agentguard: ")
    assert harmful(text) == []


def test_the_check_sees_what_would_act(tmp_path: Path) -> None:
    """Each of these got through some tool once."""
    assert harmful("a\x1b[2Jb") == ["001b"]
    assert harmful("a\x9bb\u202ec\u200bd\u115f\U000e0041") == ["009b", "115f", "200b", "202e", "e0041"]
    assert faults_of("csv", "a\r\n=1\r\n") == ["formula '=1'"]
    assert faults_of("csv", "a,b\r\n1\r\n") == ["1 cells of 2"]
    assert faults_of("markdown", "![x](https://evil.example)") == ["an image"]
    assert faults_of("markdown", "https://evil.example") == ["a link to https://evil.example"]
    assert faults_of("markdown", "<script>x</script>") != []
    assert faults_of("html", "<img src=x>") != []
    assert faults_of("html", "<p>&#x202e;</p>") == ["character 202e in text"]
    assert faults_of("json", '"é"') == ["not ASCII"]
    assert COLOUR.sub("", "\x1b[1;31mx\x1b[0m\x1b]0;y\x07") == "x\x1b]0;y\x07"
