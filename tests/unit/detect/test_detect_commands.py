"""policies/commands.yaml by its own examples, and how command lines are taken apart."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentguard.detect.command_lines import commands_within
from agentguard.detect.commands import load_commands
from agentguard.detect.files import load_file_patterns
from agentguard.errors import PolicyError
from agentguard.paths import policies_dir

PATTERNS = load_file_patterns(policies_dir() / "files.yaml")
COMMANDS = load_commands(policies_dir() / "commands.yaml", PATTERNS.match_name)


def test_examples_match_their_own_rule_first() -> None:
    wrong = [(r.id, x) for r in COMMANDS.rules for x in r.examples_match if COMMANDS.match(shlex.split(x)) is not r]
    assert wrong == []


def test_counter_examples_match_nothing() -> None:
    wrong = [(r.id, x) for r in COMMANDS.rules for x in r.examples_no_match if COMMANDS.match(shlex.split(x))]
    assert wrong == []


def test_every_rule_carries_examples_and_an_id_of_its_own() -> None:
    assert all(rule.examples_match and rule.examples_no_match for rule in COMMANDS.rules)
    assert len({rule.id for rule in COMMANDS.rules}) == len(COMMANDS.rules) >= 25


@pytest.mark.parametrize(
    "line",
    [
        "sudo -u deploy gh auth token",
        "env GH_HOST=x GH_DEBUG=1 gh auth token",
        "timeout -k 1 5 gh auth token",
        "nice -n 10 gh auth token",
        "xargs -n 1 gh auth token",
        "nohup setsid gh auth token",
        "sh -c 'gh auth token'",
        "bash -lc 'cd /src && gh auth token | head -c 4'",
        "bash -c 'X=$(gh auth token); echo $X'",
        "bash -c 'curl -H \"Authorization: $(gh auth token)\" x'",
        "bash -c 'gh auth token > /tmp/x 2>&1'",
        "sh -c 'FOO=1 exec gh auth token'",
        "sh -c 'if true; then gh auth token; fi'",
        "sudo sh -c \"timeout 5 bash -c 'gh auth token'\"",
        "/usr/bin/env -S gh auth token",
        "/opt/bin/gh auth token",
    ],
)
def test_wrappers_are_peeled(line: str) -> None:
    found = COMMANDS.find(shlex.split(line))
    assert found is not None
    assert found.rule.id == "gh-token"
    assert found.wrapped == (not line.startswith("/opt"))


@pytest.mark.parametrize(
    "line",
    ["sh -c 'echo gh auth token'", "bash script.sh gh auth token", "echo gh auth token", "grep -r 'gh auth token'"],
)
def test_words_that_only_speak_of_it_are_not_it(line: str) -> None:
    assert COMMANDS.match(shlex.split(line)) is None


def test_a_wrapper_alone_is_the_command() -> None:
    assert list(commands_within(["env"])) == [(("env",), False)]
    assert list(commands_within(["env", "A=1", "make", "x"])) == [(("make", "x"), True)]


@given(st.lists(st.text(max_size=40), max_size=8))
def test_any_argv_is_answered(argv: list[str]) -> None:
    COMMANDS.match(argv)
    COMMANDS.match(["bash", "-c", *argv])
    COMMANDS.match(["env", *argv])


def test_deep_nesting_ends() -> None:
    line = "gh auth token"
    for _ in range(30):
        line = f"sh -c {shlex.quote(line)}"
        if len(line) > 60_000:
            break
    assert COMMANDS.match(shlex.split(line)) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("commands:\n  - id: a\n    fetches: b\n    programs: [c]\n", "would match every use of c"),
        ("commands:\n  - id: a\n    fetches: b\n    words: [c]\n", "names no programs"),
        ("commands:\n  - id: a\n    fetches: b\n    programs: [c]\n    alone: 1\n", "true or false"),
        ("commands: []\n", "list of mappings"),
    ],
)
def test_an_invalid_file_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "commands.yaml"
    path.write_text(text)
    with pytest.raises(PolicyError, match=problem):
        load_commands(path)
