"""Credential types: the data is sound, and every way of breaking it is refused with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from detect_support import all_examples, types

from agentguard.detect.checksum import check
from agentguard.detect.rules import load_types
from agentguard.detect.rules_proof import pattern_problem
from agentguard.detect.templates import expand
from agentguard.errors import PolicyError
from agentguard.paths import policies_dir

VALID = """\
- id: demo-key
  name: 'Demo key'
  provider: demo
  pattern: 'dem_[a-z0-9]{20}'
  keywords: ['dem_']
  checksum: null
  issuer_hosts: [api.demo.example]
  scope: project
  severity: high
  rotation: 'https://demo.example/keys'
  public: false
  examples:
    match:
    - 'dem_{lower:20}'
    no_match:
    - 'dem_{lower:8}'
"""


def load(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "secrets.yaml").write_text(text)
    load_types(folder / "secrets.yaml", prove=True)


def test_the_shipped_types_load_and_are_many() -> None:
    assert len(types()) >= 40
    assert len({kind.id for kind in types()}) == len(types())


def test_no_scannable_secret_and_no_registry_stands_in_the_data() -> None:
    text = (policies_dir() / "secrets.yaml").read_text()
    for _, example in all_examples():
        assert example not in text
    hosts = "|".join(
        ["registry[.]", "pypi[.]", "npmjs[.]", "docker[.](?:io|com)", "rubygems[.]", "crates[.]", "nuget[.]"]
    )
    assert not re.search(hosts, text)


def test_templates_are_repeatable_and_carry_valid_checksums() -> None:
    assert expand("ghp_{github-crc}", "x") == expand("ghp_{github-crc}", "x")
    assert expand("{alnum:30}", "x") != expand("{alnum:30}", "y")
    for kind in types():
        if kind.checksum in ("github-crc", "grafana-crc"):
            verdicts = {check(kind.checksum, expand(text, kind.id).encode()) for text in kind.examples.match}
            assert verdicts <= {True, None}
            assert True in verdicts or kind.id == "github-refresh-token"


def test_a_wrong_checksum_is_told() -> None:
    token = expand("ghp_{github-crc}")
    broken = token[:-1] + ("a" if token[-1] != "a" else "b")
    assert check("github-crc", token.encode()) is True
    assert check("github-crc", broken.encode()) is False


@pytest.mark.parametrize("template", ["{alnum}", "{unknown:3}"])
def test_a_wrong_template_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"template|length"):
        expand(template)


def test_a_valid_file_loads(tmp_path: Path) -> None:
    load(tmp_path, VALID)


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("provider: demo", "vendor: demo", 3, "unknown key 'vendor'"),
        ("  scope: project\n", "", 1, "'scope' is missing"),
        ("  scope: project\n  severity: high\n", "  severity: high\n  scope: project\n", 1, "this order"),
        ("  scope: project\n", "  scope: project\n  scope: user\n", 9, "stands twice"),
        ("scope: project", "scope: galaxy", 8, "scope must be one of"),
        ("{20}'\n", "{2000}'\n", 4, "larger than 1000"),
        ("dem_[a-z0-9]{20}'", r"\bdem_[a-z0-9]{20}'", 4, r"\b is not allowed"),
        ("dem_[a-z0-9]{20}'", "(?<=x)dem_[a-z0-9]{20}'", 4, "no lookaround"),
        ("dem_[a-z0-9]{20}'", "dem_[a-z0-9{20}'", 4, "not a regular expression"),
        ("dem_[a-z0-9]{20}'", "(dem_)[a-z0-9]{20}'", 4, "only group"),
        ("'dem_'", "'DEM_'", 5, "lower case"),
        ("checksum: null", "checksum: luhn", 6, "checksum must be null or one of"),
        ("api.demo.example", "https://demo", 7, "not a host name"),
        ("'dem_{lower:20}'", "'dem_{lower:19}'", 14, "is not recognised"),
        ("'dem_{lower:8}'", "'dem_{lower:28}'", 16, "is recognised"),
        ("no_match:\n    - 'dem_{lower:8}'\n", "no_match: []\n", 15, "no_match is empty"),
        ("public: false", "public: maybe", 11, "true or false"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, what: str) -> None:
    assert old in VALID
    with pytest.raises(PolicyError, match=re.escape(what)) as caught:
        load(tmp_path, VALID.replace(old, new, 1))
    assert str(caught.value).startswith(f"policies/secrets.yaml:{line}:")


def test_an_id_used_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"secrets\.yaml:17: id demo-key is used twice"):
        load(tmp_path, VALID + VALID)


TOLD = VALID.replace("pattern: 'dem_[a-z0-9]{20}'", "context: {words: [demo], value: ['{hex:32}']}").replace(
    "  keywords: ['dem_']\n", ""
)


def test_a_type_told_by_its_context_needs_no_examples(tmp_path: Path) -> None:
    load(tmp_path, TOLD[: TOLD.index("  examples:")])


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("  checksum", "  max_length: 10\n  checksum", 4, "leave max_length out"),
        ("[demo]", "[Demo]", 4, "must be lower-case"),
        ("{hex:32}", "{hexes:32}", 4, "is no form of a value"),
        ("value:", "values:", 4, "unknown key 'values'"),
        ("'dem_{lower:20}'", "'demo_{lower:20}'", 13, "is not recognised"),
    ],
)
def test_what_is_wrong_with_a_context_is_named(tmp_path: Path, old: str, new: str, line: int, what: str) -> None:
    assert old in TOLD
    with pytest.raises(PolicyError, match=re.escape(what)) as caught:
        load(tmp_path, TOLD.replace(old, new, 1))
    assert str(caught.value).startswith(f"policies/secrets.yaml:{line}:")


@pytest.mark.parametrize("text", ["", "a: [", "just text", "- 1\n"])
def test_a_file_that_is_no_list_of_types_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(PolicyError, match=r"^policies/secrets\.yaml:\d+: "):
        load(tmp_path, text)


def test_patterns_mean_the_same_to_every_engine() -> None:
    assert pattern_problem("a+?b") or pattern_problem("a{2,3}?")
    assert pattern_problem(".x")
    assert pattern_problem("x*") == "matches nothing at all"
    assert pattern_problem("é") == "must be ASCII"
