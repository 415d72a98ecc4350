"""What the dashboard shows of the policy, and how it writes a rule: the judge's facts as plain values."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path

from agentguard.config import Home
from agentguard.errors import PolicyError
from agentguard.judge.expect import rule_for, speaks_of, with_rule
from agentguard.judge.explain import UnitExplanation, explain
from agentguard.judge.load import HOME_POLICY, REPOSITORY_POLICY, find_repository_policy, load_policy, read_policy
from agentguard.judge.parse import parse_policy
from agentguard.judge.policy import Policy, Rule
from agentguard.judge.user_policy import replace_policy
from agentguard.model.event import Event
from agentguard.model.session import Session
from agentguard.paths import policies_dir
from agentguard.record.reader import EventQuery, Reader
from agentguard.recorded import Recorded
from agentguard.show.policy_view import (
    Explained,
    PartExplained,
    PolicyView,
    ProposedRule,
    Reach,
    RuleView,
    Tried,
)

LOOKED_AT = 5_000
"""Recorded events that a proposed rule is tried on, the newest: a few seconds of work at most."""
SHOWN = 3


class PolicyInView:
    """Of one home folder. Every method reads the files anew: they are a person's to change."""

    def __init__(self, home: Home, clock: Callable[[], int], zone: tzinfo | None = None) -> None:
        self._home = home
        self._clock = clock
        self._zone = zone
        self._recorded = Recorded()

    def policy(self, workspace: str) -> PolicyView:
        """In force for a session in this folder. Raises PolicyError."""
        policy = self._policy(workspace)
        files = self._files(workspace)
        texts = {name: _lines(path) for name, path in files.items()}
        rules = [_rule_view(rule, texts, stricter=False) for rule in policy.rules]
        rules += [_rule_view(rule, texts, stricter=True) for rule in policy.stricter]
        used = {rule.source for rule in (*policy.rules, *policy.stricter)}
        note = (
            f"{REPOSITORY_POLICY} of the repository is not trusted: it may only make verdicts stricter, until "
            f"`agentguard policy trust {REPOSITORY_POLICY}`."
        )
        listed = tuple(path for name, path in files.items() if name in used)
        return PolicyView(listed, tuple(rules), note if policy.stricter or policy.gateways_not_trusted else "")

    def explain(self, event: Event) -> Explained:
        """By the policy as it stands now. Raises PolicyError and StoreError."""
        with contextlib.closing(Reader(self._home.database)) as reader:
            session = reader.session(event.finding.session)
        policy = self._policy(session.cwd if session else "")
        explanation = explain(policy, *self._recorded.judgeable(event, session, policy.gateways))
        verdict = explanation.verdict
        return Explained(
            [_part(unit) for unit in explanation.units],
            verdict.rule,
            verdict.reason,
            verdict.disposition,
            verdict.severity,
            verdict.outcome,
        )

    def propose(self, event: Event) -> ProposedRule:
        """The rule that would expect such an event, and what else it would have spoken of.

        Raises:
            PolicyError: no rule can speak of it, or the user's policy cannot take one.
            StoreError: the record cannot be read.
        """
        path = self._home.policy
        before = read_policy(path)
        own = parse_policy(before, source=HOME_POLICY, shown=str(path)).rules if before and before.strip() else ()
        with contextlib.closing(Reader(self._home.database)) as reader:
            session = reader.session(event.finding.session)
            facts = self._recorded.facts(event, session)
            day = datetime.fromtimestamp(self._clock() // 1_000_000_000, self._zone).date().isoformat()
            new = rule_for(event.finding, facts, (rule.id for rule in own), day)
            after = with_rule(before, new, str(path))
            rule = parse_policy(after, source=HOME_POLICY, shown=str(path)).rules[0]
            reach = self._reach(reader, event, rule)
        return ProposedRule(
            name=rule.name,
            path=path,
            text=new.text,
            reach=reach,
            overruled_by=self._overruled(event, session, rule),
            before=before,
            after=after,
        )

    def write(self, proposed: ProposedRule) -> None:
        """Raises PolicyError: someone else changed the file, or it cannot be written."""
        replace_policy(proposed.path, proposed.before, proposed.after)

    def take_back(self, proposed: ProposedRule) -> None:
        """As `write`, the other way."""
        replace_policy(proposed.path, proposed.after, proposed.before)

    def _reach(self, reader: Reader, event: Event, rule: Rule) -> Reach:
        query = EventQuery(kinds=(event.finding.kind,), newest_first=True, limit=LOOKED_AT)
        found: list[Event] = []
        sessions: dict[str, Session | None] = {}
        rows = reader.rows(query)
        for row in rows:
            uid = row.event.finding.session
            if uid not in sessions:
                sessions[uid] = reader.session(uid)
            if speaks_of(rule, self._recorded.facts(row.event, sessions[uid])):
                found.append(row.event)
        others = [one for one in found if one.finding.uid != event.finding.uid]
        others.sort(key=_grave, reverse=True)
        outcomes = Counter(one.verdict.outcome for one in others)
        ranked = sorted(outcomes.items(), key=lambda item: -item[0].rank)
        return Reach(len(found), len(rows), len(rows) < LOOKED_AT, tuple(ranked), tuple(others[:SHOWN]))

    def _overruled(self, event: Event, session: Session | None, rule: Rule) -> str:
        """A trusted repository's policy is tried before the user's own."""
        policy = self._policy(session.cwd if session else "")
        at = next((place for place, one in enumerate(policy.rules) if one.source != REPOSITORY_POLICY), 0)
        with_it = replace(policy, rules=(*policy.rules[:at], rule, *policy.rules[at:]))
        finding, context = self._recorded.judgeable(event, session, policy.gateways)
        decided = with_it.judge(replace(finding, enforced_rule=""), context).rule
        return "" if decided == rule.name else decided

    def _policy(self, workspace: str) -> Policy:
        return load_policy(home=self._home.root, workspace=_folder(workspace))

    def _files(self, workspace: str) -> dict[str, Path]:
        """By the name that verdicts give them, in the order in which they are tried."""
        folder = _folder(workspace)
        found = find_repository_policy(folder) if folder else None
        shipped = sorted(policies_dir().glob("*.yaml"))
        files = {REPOSITORY_POLICY: found} if found else {}
        return files | {HOME_POLICY: self._home.policy} | {f"policies/{path.name}": path for path in shipped}


def _folder(workspace: str) -> Path | None:
    path = Path(workspace)
    return path if workspace and path.is_dir() else None


def _grave(event: Event) -> tuple[int, int]:
    return event.verdict.outcome.rank, event.verdict.severity.rank


def _part(unit: UnitExplanation) -> PartExplained:
    steps = (*unit.steps, *unit.stricter_steps)
    tried = tuple(Tried(step.rule.name, step.fired, step.why) for step in steps if not step.why.startswith("kind is "))
    what = f"{unit.match.type} in {unit.match.place}" if unit.match else "The event as a whole"
    where = f", sent to: {' and '.join(unit.destinations)}" if unit.destinations else ""
    return PartExplained(what + where, tried, len(steps) - len(tried))


def _rule_view(rule: Rule, texts: dict[str, list[str]], *, stricter: bool) -> RuleView:
    return RuleView(
        name=rule.name,
        description=rule.description,
        line=rule.line,
        disposition=rule.then.disposition,
        severity=rule.then.severity,
        outcome=rule.then.outcome,
        stricter_only=stricter,
        source=_block(texts.get(rule.source, []), rule.line),
    )


def _lines(path: Path) -> list[str]:
    with contextlib.suppress(PolicyError):
        return (read_policy(path) or b"").decode("utf-8", "replace").splitlines()
    return []


def _block(lines: list[str], line: int) -> str:
    """The lines of one rule: up to the next item of its list, or to what is written further left."""
    if not 0 < line <= len(lines):
        return ""
    first = lines[line - 1]
    indent = len(first) - len(first.lstrip())
    rest = []
    for text in lines[line:]:
        depth = len(text) - len(text.lstrip())
        if text.strip() and depth <= indent:
            break
        rest.append(text)
    return "\n".join(text[indent:] for text in [first, *rest]).rstrip()
