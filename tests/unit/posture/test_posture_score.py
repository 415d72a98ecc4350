"""The score: what it is made of, and that putting something right never lowers it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from posture_builders import weakness

from agentguard.model.posture import Weakness
from agentguard.model.verdict import Severity
from agentguard.posture.score import score_of


def of(severity: Severity) -> Weakness:
    return replace(weakness("a.py"), severity=severity)


def test_the_scores_that_the_formula_is_told_by() -> None:
    assert score_of([]) == 100
    assert {one.value: score_of([of(one)]) for one in Severity} == {
        "critical": 55,
        "high": 71,
        "medium": 86,
        "low": 96,
        "info": 100,
    }


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(Severity), min_size=1, max_size=60), st.data())
def test_what_is_put_right_never_lowers_it(severities: list[Severity], data: st.DataObject) -> None:
    found = [of(one) for one in severities]
    gone = data.draw(st.integers(0, len(found) - 1))
    before, after = score_of(found), score_of(found[:gone] + found[gone + 1 :])
    assert 0 <= before <= after <= 100
    assert (after == 100) == all(one.severity is Severity.INFO for one in found[:gone] + found[gone + 1 :])
