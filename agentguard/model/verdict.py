"""What the policy says of a finding."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Least first; compare with `rank`."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class Disposition(StrEnum):
    """What became of the event (OCSF `disposition`)."""

    IGNORED = "ignored"
    LOGGED = "logged"
    ALERT = "alert"
    BLOCKED = "blocked"


class Outcome(StrEnum):
    """Of a session, and what one event adds to it. Worst wins: leaked, exposed, unknown, clean."""

    CLEAN = "clean"
    UNKNOWN = "unknown"
    EXPOSED = "exposed"
    LEAKED = "leaked"

    @property
    def rank(self) -> int:
        return list(Outcome).index(self)


class Destination(StrEnum):
    """Who receives a send."""

    ISSUER = "issuer"
    """A host the credential is meant for."""
    MODEL = "model"
    """A model provider that receives prompts (policies/agents.yaml)."""
    LOOPBACK = "loopback"
    PRIVATE = "private"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The rule that fired, and what it says."""

    disposition: Disposition
    severity: Severity
    rule: str
    """FILE:ID, e.g. policies/default.yaml:leak-to-unknown-host"""
    reason: str
    """One sentence, in words."""
    outcome: Outcome = Outcome.CLEAN
    """What this event adds to the session's outcome."""
    destination: Destination | None = None
    """Of sends; None for the rest."""
