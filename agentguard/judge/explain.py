"""Why a verdict is what it is: each rule tried, and what kept it from firing."""

from __future__ import annotations

from dataclasses import dataclass

from agentguard.judge.context import Context
from agentguard.judge.facts import Facts
from agentguard.judge.match import why_not
from agentguard.judge.policy import NO_RULE, Decision, Policy, Rule, units
from agentguard.model.finding import Finding
from agentguard.model.secret import SecretMatch
from agentguard.model.verdict import Destination, Verdict


@dataclass(frozen=True, slots=True)
class Step:
    """One rule, tried."""

    rule: Rule
    fired: bool
    why: str
    """Why it did not fire; "" when it did."""


@dataclass(frozen=True, slots=True)
class UnitExplanation:
    """One match of the finding (None: the finding as a whole) and the rules tried on it, in order."""

    match: SecretMatch | None
    destinations: tuple[Destination, ...]
    steps: tuple[Step, ...]
    stricter_steps: tuple[Step, ...]
    """Of an untrusted repository's policy, which may only make the verdict stricter."""
    decision: Decision


@dataclass(frozen=True, slots=True)
class Explanation:
    units: tuple[UnitExplanation, ...]
    verdict: Verdict
    """The worst of the units'."""


def explain(policy: Policy, finding: Finding, context: Context) -> Explanation:
    """Judge `finding` and keep every step."""
    facts = Facts(finding, context)
    found: list[UnitExplanation] = []
    for match in units(finding):
        facts.look_at(match)
        found.append(
            UnitExplanation(
                match=match,
                destinations=facts.destinations(),
                steps=_steps((*policy.rules, NO_RULE), facts),
                stricter_steps=_steps(policy.stricter, facts),
                decision=policy.decide(facts),
            )
        )
    return Explanation(tuple(found), policy.judge(finding, context))


def _steps(rules: tuple[Rule, ...], facts: Facts) -> tuple[Step, ...]:
    steps: list[Step] = []
    for rule in rules:
        failed = next((condition for condition in rule.conditions if not condition.holds(facts)), None)
        steps.append(Step(rule, failed is None, why_not(failed, facts) if failed else ""))
        if failed is None:
            break
    return tuple(steps)
