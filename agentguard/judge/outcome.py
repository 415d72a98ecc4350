"""What a session comes to: the worst of what its events add, in one word and one sentence."""

from __future__ import annotations

from collections.abc import Iterable

from agentguard.model.finding import Activity, Finding, Kind
from agentguard.model.verdict import Disposition, Outcome, Verdict

CLEAN_REASON = "No secret was seen going to a model provider or to anyone else, and no gap counts against it."
_COUNTS = (
    "reads",
    "sends",
    "flows",
    "gaps",
    "gaps_counted",
    "alerts",
    "blocked",
    "commands",
    "inherited",
    "secrets",
)


def session_outcome(contributions: Iterable[tuple[Outcome, str]]) -> tuple[Outcome, str]:
    """The worst outcome and one sentence that says why: the first reason for it, and how many more there are.

    Args:
        contributions: of each event, what it adds and the reason.
    """
    tally = _Worst()
    for outcome, reason in contributions:
        tally.add(outcome, reason)
    return tally.outcome, tally.reason


class OutcomeTally:
    """The outcome and the counts of a session, kept as its events come."""

    def __init__(self) -> None:
        self._worst = _Worst()
        self._counts = dict.fromkeys(_COUNTS, 0)
        self._secrets: set[str] = set()

    @property
    def outcome(self) -> Outcome:
        return self._worst.outcome

    @property
    def reason(self) -> str:
        return self._worst.reason

    @property
    def counts(self) -> dict[str, int]:
        """A copy, with the keys of `Session.counts`."""
        return {**self._counts, "secrets": len(self._secrets)}

    def add(self, finding: Finding, verdict: Verdict) -> None:
        self._worst.add(verdict.outcome, verdict.reason)
        self._secrets.update(match.fingerprint for match in finding.matches if not match.public)
        counts = self._counts
        counts["reads"] += finding.kind is Kind.FILE and finding.activity is Activity.READ
        counts["sends"] += finding.activity is Activity.SEND
        counts["flows"] += finding.flow is not None
        counts["commands"] += finding.kind is Kind.COMMAND
        counts["inherited"] += len(finding.matches) if finding.kind is Kind.ENVIRONMENT else 0
        counts["gaps"] += finding.gap is not None
        counts["gaps_counted"] += finding.gap is not None and verdict.outcome is Outcome.UNKNOWN
        counts["alerts"] += verdict.disposition is Disposition.ALERT
        counts["blocked"] += verdict.disposition is Disposition.BLOCKED


class _Worst:
    """The worst outcome so far, its first reason, and how often it came."""

    def __init__(self) -> None:
        self.outcome = Outcome.CLEAN
        self._first = CLEAN_REASON
        self._more = 0

    @property
    def reason(self) -> str:
        if not self._more:
            return self._first
        return f"{self._first.rstrip('.')} (and {self._more} more)."

    def add(self, outcome: Outcome, reason: str) -> None:
        if outcome is Outcome.CLEAN:
            return
        if outcome.rank > self.outcome.rank:
            self.outcome, self._first, self._more = outcome, reason, 0
        elif outcome is self.outcome:
            self._more += 1
