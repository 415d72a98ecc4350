"""What a pattern says of its matches."""

from __future__ import annotations

import pytest
from detect_support import all_examples, types

from agentguard.detect.long_words import LONG, WORD
from agentguard.detect.pattern_runs import Run, least_run


@pytest.mark.parametrize(
    ("pattern", "least", "pure"),
    [
        ("abc", 3, True),
        ("ab[0-9]{4,9}c?", 6, True),
        ("a+b*", 1, True),
        (r"a\x3db", 3, True),
        ("ab:cde", 3, False),
        ("[^a]bb", 2, False),
        ("ab?:", 1, False),
        ("a(?:bc|d)e", 3, True),
        ("a(?:bc|:)efg", 3, False),
        ("(?:ab){3}", 6, True),
        ("(?:a:b){3}ccc", 3, False),
        ("(?i:[a-f]{8}-)(?P<secret>[0-9]{9})", 18, True),
        ("abcd(?:;|$)", 4, False),
        (r"[ab\]]x", 1, False),
        ("a[ -~]{0,9}bcd", 3, False),
    ],
)
def test_runs(pattern: str, least: int, pure: bool) -> None:
    assert least_run(pattern, WORD) == Run(least, pure)


def test_every_example_has_the_run_that_its_pattern_promises() -> None:
    promises = {kind.id: least_run(kind.pattern, WORD) for kind in types()}
    for identity, text in all_examples():
        words = "".join(char if ord(char) in WORD else " " for char in text).split()
        assert max(map(len, words), default=0) >= promises[identity].least, identity
    assert sum(run.pure and run.least >= LONG for run in promises.values()) > len(promises) // 3
