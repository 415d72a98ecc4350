"""Why a verdict is what it is: each rule tried, and what kept it from firing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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


def explanation_lines(explanation: Explanation) -> list[str]:
    """For a terminal: each rule tried and why it did not fire, then the verdict."""
    lines: list[str] = []
    for unit in explanation.units:
        tried = [step for step in unit.steps if not step.why.startswith("kind is ")]
        lines += [_heading(unit), *(_line(step) for step in tried)]
        if len(tried) < len(unit.steps):
            lines += [f"  ({len(unit.steps) - len(tried)} rules before it speak of other kinds)"]
        if unit.stricter_steps:
            lines += ["  untrusted repository policy (counts only where stricter):"]
            lines += [_line(step) for step in unit.stricter_steps]
    verdict = explanation.verdict
    return [
        *lines,
        f"verdict: {verdict.disposition}, {verdict.severity}, outcome {verdict.outcome}",
        f"rule:    {verdict.rule}",
        f"reason:  {verdict.reason}",
    ]


def explanation_to_json(explanation: Explanation) -> dict[str, Any]:
    """The same for a script."""
    verdict = explanation.verdict
    return {
        "units": [
            {
                "type": unit.match.type if unit.match else None,
                "place": unit.match.place if unit.match else None,
                "destinations": list(unit.destinations),
                "tried": [_step_to_json(step) for step in unit.steps],
                "tried_stricter": [_step_to_json(step) for step in unit.stricter_steps],
                "rule": unit.decision.rule.name,
            }
            for unit in explanation.units
        ],
        "disposition": verdict.disposition,
        "severity": verdict.severity,
        "outcome": verdict.outcome,
        "rule": verdict.rule,
        "reason": verdict.reason,
    }


def _heading(unit: UnitExplanation) -> str:
    what = f"{unit.match.type} in {unit.match.place}" if unit.match else "the event as a whole"
    return what + (f", destination {' and '.join(unit.destinations)}:" if unit.destinations else ":")


def _line(step: Step) -> str:
    return f"  {'✓' if step.fired else '·'} {step.rule.name}" + (f"  ({step.why})" if step.why else "")


def _step_to_json(step: Step) -> dict[str, Any]:
    return {"rule": step.rule.name, "fired": step.fired, "why": step.why}
