"""An explanation ends where the judge ended, and says what kept each earlier rule from firing."""

from __future__ import annotations

import pytest
from judge_builders import CONTEXT, case, match, policy, send

from agentguard.judge.examples import situation
from agentguard.judge.explain import explain, explanation_lines, explanation_to_json
from agentguard.judge.load import load_policy

DEFAULT = load_policy(home=None, workspace=None)


def test_the_last_step_is_the_rule_that_fired() -> None:
    finding, context = case(kind="file", path="/x/.env", file_kind="dotenv", process="cat")
    explanation = explain(DEFAULT, finding, context)
    (unit,) = explanation.units
    assert [step.fired for step in unit.steps] == [False] * (len(unit.steps) - 1) + [True]
    assert unit.steps[-1].rule.name == explanation.verdict.rule == DEFAULT.judge(finding, context).rule
    whys = {step.rule.id: step.why for step in unit.steps}
    assert whys["expected-reader"] == "expected_reader is false; the rule wants true"
    assert whys["git-reads-project-file"] == "process is cat; the rule wants git"


def test_each_match_is_explained_and_the_verdict_is_the_worst() -> None:
    key = match("header:authorization", type="k", issuer_hosts=("api.example",))
    finding = send(key, match(), host="api.example")
    explanation = explain(DEFAULT, finding, CONTEXT)
    assert [unit.decision.rule.id for unit in explanation.units] == ["expected-use", "leak-to-unknown-host"]
    assert explanation.verdict == DEFAULT.judge(finding, CONTEXT)
    data = explanation_to_json(explanation)
    assert [unit["destinations"] for unit in data["units"]] == [["issuer"], ["other"]]


def test_the_text_shows_rules_of_this_kind_and_an_untrusted_policys() -> None:
    rule = "version: 1\nrules:\n  - {id: r, when: {kind: http}, then: {disposition: logged, severity: low, reason: r}}"
    finding, context = case(kind="http", host="x.example", type="t")
    lines = explanation_lines(explain(policy(rule, stricter=rule), finding, context))
    assert lines == [
        "t in body, destination other:",
        "  ✓ policy.yaml:r",
        "  untrusted repository policy (counts only where stricter):",
        "  ✓ .agentguard.yaml:r",
        "verdict: logged, low, outcome clean",
        "rule:    policy.yaml:r",
        "reason:  r",
    ]
    default = "\n".join(explanation_lines(explain(DEFAULT, *case(kind="gap", gap="events-lost"))))
    assert "rules before it speak of other kinds)" in default
    assert "leak-to-unknown-host" not in default


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"hots": ["x"]}, "unknown word 'hots'"),
        ({"kind": ["ftp"]}, "'ftp' is not known; allowed: file"),
        ({"gap": ["hole"]}, "allowed: sensor-unavailable"),
        ({"port": ["http"]}, "is no number"),
        ({"public": ["yes"], "type": ["x"]}, "public must be true or false"),
    ],
)
def test_a_situation_that_means_nothing_is_refused(fields: dict[str, list[str]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        situation(fields, CONTEXT)
