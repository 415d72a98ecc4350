"""policies/files.yaml by its own examples, and what a glob means."""

from __future__ import annotations

import timeit
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentguard.detect.files import FilePattern, FilePatterns, load_file_patterns
from agentguard.errors import PolicyError
from agentguard.paths import policies_dir

PATTERNS = load_file_patterns(policies_dir() / "files.yaml")


def test_examples_match_their_own_pattern_alone() -> None:
    wrong = [(p.id, path) for p in PATTERNS.patterns for path in p.examples_match if PATTERNS.match_name(path) is not p]
    assert wrong == []


def test_counter_examples_match_nothing() -> None:
    wrong = [(p.id, path) for p in PATTERNS.patterns for path in p.examples_no_match if PATTERNS.match_name(path)]
    assert wrong == []


def test_every_pattern_carries_examples() -> None:
    assert [p.id for p in PATTERNS.patterns if not (p.examples_match and p.examples_no_match)] == []


@pytest.mark.parametrize(
    ("path", "reader"),
    [
        ("/home/a/.aws/credentials", "aws"),
        ("/home/a/.config/gh/hosts.yml", "gh"),
        ("/home/a/.git-credentials", "git"),
        ("/home/a/.ssh/id_ed25519", "ssh"),
        ("/home/a/.npmrc", "npm"),
        ("/home/a/.pypirc", "twine"),
        ("/home/a/.docker/config.json", "docker"),
        ("/home/a/.kube/config", "kubectl"),
        ("/home/a/.pgpass", "psql"),
    ],
)
def test_the_ordinary_reader_is_expected_and_cat_is_not(path: str, reader: str) -> None:
    pattern = PATTERNS.match_name(path)
    assert pattern is not None
    assert reader in pattern.expected_readers
    assert "cat" not in pattern.expected_readers


def test_an_agents_own_login_names_the_agent() -> None:
    found = {path: PATTERNS.match_name(path) for path in ("/h/.claude/.credentials.json", "/h/.codex/.env")}
    assert [pattern and pattern.agent for pattern in found.values()] == ["claude", "codex"]
    assert {pattern and pattern.id for pattern in found.values()} == {"agent-login"}


def test_a_place_wins_over_a_bare_name() -> None:
    patterns = FilePatterns([FilePattern(id="name", names=("auth.json",)), FilePattern(id="place", paths=("~/.x/*",))])
    assert patterns.match_name("/h/.x/auth.json").id == "place"  # type: ignore[union-attr]
    assert patterns.match_name("/h/y/auth.json").id == "name"  # type: ignore[union-attr]


def test_a_star_stays_in_its_part_and_two_go_below() -> None:
    patterns = FilePatterns([FilePattern(id="one", paths=("~/.a/*",)), FilePattern(id="all", paths=("/etc/b/**",))])
    assert patterns.match_name("/h/.a/k") is not None
    assert patterns.match_name("/h/.a/b/k") is None
    assert patterns.match_name("/etc/b/c/d") is not None
    assert patterns.match_name("/x/etc/b/c") is None


def test_names_that_are_no_text() -> None:
    assert PATTERNS.match_name("/\udcff.env") is not None, "undecodable bytes come as surrogate escapes"
    assert PATTERNS.match_name("/credentials") is None


@given(st.text(max_size=80))
def test_any_text_is_answered(path: str) -> None:
    PATTERNS.match_name(path)
    PATTERNS.match_name("/" + path)


def test_a_name_of_no_secret_costs_about_a_microsecond() -> None:
    """Asked at every open of a session. The bound is ten times the measure: the machine is shared."""
    path = "/home/ada/src/shop/node_modules/left-pad/package.json"
    best = min(timeit.repeat(lambda: PATTERNS.match_name(path), number=2000, repeat=5)) / 2000
    assert best < 6e-6


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("patterns:\n  - names: [a]\n", 2, "id is missing"),
        ("patterns:\n  - id: a\n", 2, "neither names nor paths"),
        ("patterns:\n  - id: a\n    paths: [x/y]\n", 2, "must begin with"),
        ("patterns:\n  - id: a\n    nmaes: [a]\n", 2, "unknown key 'nmaes'"),
        ("patterns:\n  - id: a\n    id: b\n", 3, "stands twice"),
        ("patterns: [\n", 2, ""),
        ("- a\n", 1, "must hold a mapping"),
        ("patterns:\n  - id: a\n    names: b\n", 2, "list of texts"),
        ("pattern: []\n", 1, "unknown key 'pattern'"),
        ("", 1, "must hold a mapping"),
    ],
)
def test_an_invalid_file_is_refused_with_its_line(tmp_path: Path, text: str, line: int, problem: str) -> None:
    path = tmp_path / "files.yaml"
    path.write_text(text)
    with pytest.raises(PolicyError) as caught:
        load_file_patterns(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert problem in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot read"):
        load_file_patterns(tmp_path / "none.yaml")
