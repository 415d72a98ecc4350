"""The policy as a screen shows it: plain values, for what they are made of is the judge's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agentguard.model.event import Event
from agentguard.model.verdict import Disposition, Outcome, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """One rule."""

    name: str
    """FILE:ID."""
    description: str
    line: int
    disposition: Disposition
    severity: Severity
    outcome: Outcome
    stricter_only: bool
    """Of a repository that is not trusted: it counts only where it is stricter."""
    source: str
    """Its lines in the file, as they stand there; "" when they cannot be read."""


@dataclass(frozen=True, slots=True)
class PolicyView:
    """What is in force for a session, in the order in which it is tried."""

    files: tuple[Path, ...] = ()
    rules: tuple[RuleView, ...] = ()
    note: str = ""
    """What a person must know of it: that a repository's policy is not trusted, say."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One rule, tried on an event."""

    rule: str
    fired: bool
    why: str
    """Why it did not fire; "" when it did."""


@dataclass(frozen=True, slots=True)
class PartExplained:
    """One credential of an event, or the event as a whole, and the rules tried on it."""

    title: str
    tried: tuple[Tried, ...]
    of_other_kinds: int
    """Rules before those that speak of other kinds of events."""


@dataclass(frozen=True, slots=True)
class Explained:
    """Why a verdict is what it is, by the policy as it stands now."""

    parts: Sequence[PartExplained]
    rule: str
    reason: str
    disposition: Disposition
    severity: Severity
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Reach:
    """What a rule would have spoken of, among what is recorded."""

    count: int
    """Findings, the one it was made of included."""
    looked_at: int
    complete: bool
    """Nothing older was left out."""
    outcomes: tuple[tuple[Outcome, int], ...]
    """How the others were judged, the gravest first."""
    others: tuple[Event, ...]
    """The gravest others, a few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedRule:
    """A rule of the user's policy, shown before it is written."""

    name: str
    """FILE:ID, as later verdicts will name it."""
    path: Path
    """The file it goes to."""
    text: str
    """As it will stand there."""
    reach: Reach
    overruled_by: str = ""
    """FILE:ID of a rule that is tried before it and decides such events; "" when none does."""
    before: bytes | None = None
    """What the file holds now; None when there is none."""
    after: bytes = b""
    """What it will hold."""
