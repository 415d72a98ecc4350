"""A policy: rules in order, the first that matches wins. Pure: a finding and its context in, a verdict out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from agentguard.judge.context import Context
from agentguard.judge.facts import Facts
from agentguard.judge.match import Condition
from agentguard.judge.template import Template, parse_template
from agentguard.model.access import Access
from agentguard.model.finding import Activity, Finding, Kind
from agentguard.model.secret import SecretMatch
from agentguard.model.verdict import Destination, Disposition, Outcome, Severity, Verdict

DISPOSITION_RANK = {disposition: rank for rank, disposition in enumerate(Disposition)}
SEVERITY_RANK = {severity: rank for rank, severity in enumerate(Severity)}
OUTCOME_RANK = {outcome: rank for rank, outcome in enumerate(Outcome)}


@dataclass(frozen=True, slots=True)
class Then:
    """What a rule says."""

    disposition: Disposition
    severity: Severity
    outcome: Outcome
    reason: Template


@dataclass(frozen=True, slots=True)
class Example:
    """A situation in a rule's `examples`."""

    fields: tuple[tuple[str, tuple[str, ...]], ...]
    expected: bool
    """The rule fires for it."""
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a file."""

    source: str
    """The file, as verdicts name it: policies/default.yaml, policy.yaml, .agentguard.yaml."""
    id: str
    line: int
    description: str
    conditions: tuple[Condition, ...]
    then: Then
    examples: tuple[Example, ...] = ()

    @property
    def name(self) -> str:
        """FILE:ID."""
        return f"{self.source}:{self.id}"


NO_RULE = Rule(
    source="agentguard",
    id="no-rule",
    line=0,
    description="No rule of the policy speaks of this event.",
    conditions=(),
    then=Then(
        Disposition.LOGGED, Severity.LOW, Outcome.UNKNOWN, Template((("No rule of the policy speaks of this.", ""),))
    ),
)
"""Closes every policy, so that each event gets a verdict; it cannot call a session clean."""


_UNUSUAL = {
    Access.NEW_READER: parse_template("{agent} never took it before, in any session since it is known."),
    Access.SUDDEN_RISE: parse_template("{agent} takes it far more often than in any session before."),
    Access.ROTATED: parse_template("It was marked as rotated: its old value is still in use."),
}


class Decision(NamedTuple):
    """What the rules say of one unit of a finding, before it is known whether it could be enforced."""

    rule: Rule
    disposition: Disposition
    severity: Severity
    outcome: Outcome
    destination: Destination | None


_Tests = tuple[tuple[Condition, ...], Rule]
_Index = dict[Kind, tuple[_Tests, ...]]


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules in force, and those that may only make a verdict stricter (a repository's that is not trusted)."""

    rules: tuple[Rule, ...]
    stricter: tuple[Rule, ...] = ()
    gateways: tuple[str, ...] = ()
    """Gateways to models that the user named, for the context a finding is judged in."""
    gateways_not_trusted: tuple[str, ...] = ()
    """Those that only a repository's policy names, which is not trusted: they do not count."""
    _by_kind: _Index = field(init=False, repr=False, compare=False)
    _stricter_by_kind: _Index = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_kind", _by_kind(self.rules))
        object.__setattr__(self, "_stricter_by_kind", _by_kind(self.stricter))

    def judge(self, finding: Finding, context: Context) -> Verdict:
        """The worst verdict over the finding's matches.

        A rule that says `blocked` yields disposition `blocked` only where that is true: the caller can still hold
        the subject (`context.can_hold`), or a sensor already refused it (`finding.enforced_rule`). Otherwise the
        subject has passed: `alert`, with the rule's own outcome.
        """
        facts = Facts(finding, context)
        worst: tuple[Verdict, tuple[int, ...]] | None = None
        outcome = Outcome.CLEAN
        for match in units(finding):
            facts.look_at(match)
            verdict = self._verdict(facts)
            rank = _rank(verdict)
            if worst is None or rank > worst[1]:
                worst = (verdict, rank)
            if OUTCOME_RANK[verdict.outcome] > OUTCOME_RANK[outcome]:
                outcome = verdict.outcome
        assert worst is not None, "a finding has at least one unit"
        chosen = worst[0]
        if chosen.disposition is Disposition.BLOCKED or chosen.outcome is outcome:
            return chosen
        return replace(chosen, outcome=outcome)

    def decide(self, facts: Facts) -> Decision:
        """What the rules ask for the match that `facts` looks at."""
        kind = facts.finding.kind
        base = _decision(_first(self._by_kind[kind], facts) or NO_RULE, facts)
        stricter = _first(self._stricter_by_kind[kind], facts)
        return _stricter(base, _decision(stricter, facts)) if stricter else base

    def _verdict(self, facts: Facts) -> Verdict:
        decision = self.decide(facts)
        finding = facts.finding
        decision, unusual = _raised(decision, facts)
        disposition, outcome, name = decision.disposition, decision.outcome, decision.rule.name
        reason = decision.rule.then.reason.fill(facts) + unusual
        if finding.enforced_rule:
            disposition, outcome, name = Disposition.BLOCKED, Outcome.CLEAN, finding.enforced_rule
            reason = f"Refused before it left: {reason}"
        elif disposition is Disposition.BLOCKED and facts.context.can_hold:
            outcome = Outcome.CLEAN
        elif disposition is Disposition.BLOCKED:
            disposition = Disposition.ALERT
            reason = f"{reason} The policy says blocked, but it could not be held."
        return Verdict(
            disposition=disposition,
            severity=decision.severity,
            rule=name,
            reason=reason,
            outcome=outcome,
            destination=decision.destination if finding.activity is Activity.SEND else None,
        )


def units(finding: Finding) -> Iterator[SecretMatch | None]:
    """What is judged on its own: each match that could be judged differently; None for the finding as a whole."""
    if not finding.matches or finding.command_rule:
        yield None
    seen: set[tuple[object, ...]] = set()
    flow = finding.flow.fingerprint if finding.flow else ""
    for match in finding.matches:
        alike = (
            match.type,
            match.place,
            match.public,
            match.issuer_hosts,
            match.source_path,
            match.access,
            match.fingerprint == flow,
        )
        if alike not in seen:
            seen.add(alike)
            yield match


def _decision(rule: Rule, facts: Facts) -> Decision:
    return Decision(rule, rule.then.disposition, rule.then.severity, rule.then.outcome, _destination(rule, facts))


def _raised(decision: Decision, facts: Facts) -> tuple[Decision, str]:
    """One step of severity more for an unusual access, and the sentence that says why.

    What is blocked stays so, and a rule that asks for `access` has said what it thinks of it. The old value of a
    rotated credential is worth an alert wherever it turns up.
    """
    access = facts.match.access if facts.match else Access.USUAL
    if access is Access.USUAL or any(condition.word == "access" for condition in decision.rule.conditions):
        return decision, ""
    severity = list(Severity)[min(SEVERITY_RANK[decision.severity] + 1, len(Severity) - 1)]
    quiet = DISPOSITION_RANK[decision.disposition] < DISPOSITION_RANK[Disposition.ALERT]
    disposition = Disposition.ALERT if access is Access.ROTATED and quiet else decision.disposition
    return decision._replace(severity=severity, disposition=disposition), f" {_UNUSUAL[access].fill(facts)}"


def _stricter(base: Decision, other: Decision) -> Decision:
    """`other` where it is stricter than `base` and in nothing milder; it can never lower the outcome."""
    up = DISPOSITION_RANK[other.disposition] - DISPOSITION_RANK[base.disposition]
    more = SEVERITY_RANK[other.severity] - SEVERITY_RANK[base.severity]
    outcome = max(base.outcome, other.outcome, key=OUTCOME_RANK.__getitem__)
    if up < 0 or more < 0 or (up + more == 0 and outcome is base.outcome):
        return base
    return other._replace(outcome=outcome)


def _destination(rule: Rule, facts: Facts) -> Destination | None:
    """The class the rule asked for (a host may be issuer and model at once); else the most telling."""
    classes = facts.destinations()
    if not classes:
        return None
    for condition in rule.conditions:
        if condition.word == "destination":
            return next(one for one in classes if one in condition.wanted)
    return classes[0]


def _rank(verdict: Verdict) -> tuple[int, ...]:
    """A request with one match to be blocked is blocked whole; else severity, then outcome."""
    return (
        verdict.disposition is Disposition.BLOCKED,
        SEVERITY_RANK[verdict.severity],
        OUTCOME_RANK[verdict.outcome],
        DISPOSITION_RANK[verdict.disposition],
    )


def _first(rules: tuple[_Tests, ...], facts: Facts) -> Rule | None:
    """The first rule whose conditions all hold."""
    for tests, rule in rules:
        for condition in tests:
            if not condition.holds(facts):
                break
        else:
            return rule
    return None


def _by_kind(rules: tuple[Rule, ...]) -> _Index:
    return {kind: tuple((_tests(rule), rule) for rule in rules if _speaks_of(rule, kind)) for kind in Kind}


def _tests(rule: Rule) -> tuple[Condition, ...]:
    """Its conditions without the one on `kind`, which the index has answered."""
    return tuple(condition for condition in rule.conditions if condition.word != "kind")


def _speaks_of(rule: Rule, kind: Kind) -> bool:
    return all(kind in condition.wanted for condition in rule.conditions if condition.word == "kind")
