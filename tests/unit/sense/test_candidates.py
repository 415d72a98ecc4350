"""The cheap test may say yes to much, and never no to a name that the shipped patterns know."""

import pytest

from agentguard.detect.files import load_file_patterns
from agentguard.paths import policies_dir
from agentguard.sense.candidates import Candidates

PATTERNS = load_file_patterns(policies_dir() / "files.yaml")
CANDIDATES = Candidates(PATTERNS.name_filter())
EXAMPLES = [example for pattern in PATTERNS.patterns for example in pattern.examples_match]


@pytest.mark.parametrize("path", EXAMPLES)
def test_what_a_pattern_names_may_be_named(path: str) -> None:
    assert PATTERNS.match_name(path.replace("~", "/home/ada")) is not None
    assert CANDIDATES.may_be_named(path.encode())
    assert CANDIDATES.may_be_named(path.rpartition("/")[0].encode() + b"//" + path.rpartition("/")[2].encode())


@pytest.mark.parametrize("path", ["src/main.c", "README.md", "/usr/lib/libc.so.6", "d12/f3.txt", "", "/"])
def test_ordinary_names_are_ruled_out(path: str) -> None:
    assert not CANDIDATES.may_be_named(path.encode())
