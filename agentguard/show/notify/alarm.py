"""Which events need a person now, and what makes two of them the same. Pure.

Everything else is for the dashboard and the report: who is told too often stops reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agentguard.model.fault import guilty
from agentguard.model.finding import Finding
from agentguard.model.observation import GapType
from agentguard.model.secret import SecretMatch
from agentguard.model.verdict import Disposition, Outcome, Severity, Verdict
from agentguard.show.phrases import match_name, process_name
from agentguard.show.text import safe, shortened

_MOST_CREDENTIALS = 8
"""Of one request that are named one by one."""
_LONGEST = 300
"""Characters of one value that go out."""
_DIED = frozenset({GapType.SENSOR_STOPPED, GapType.PROXY_RESTARTED, GapType.GUARD_DIED})


class Need(StrEnum):
    """Why a person is needed. The gravest first."""

    LEAKED = "leaked"
    """Someone has a credential who is neither its issuer nor a model provider."""
    CRITICAL = "critical"
    """The policy calls it a critical alert."""
    EXPOSED = "exposed"
    """A model provider has a credential."""
    BLOCKED = "blocked"
    """A request was held back: shall it be allowed?"""
    SENSOR = "sensor"
    """A sensor has died while the session goes on: from here on not everything is seen."""

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return list(Need).index(self)


@dataclass(frozen=True, slots=True)
class Credential:
    """As it may be named to anyone: never the value."""

    name: str
    type: str
    preview: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One event that needs a person. All text is safe to show on one line."""

    need: Need
    severity: Severity
    time_ns: int
    event: str
    """uid of the event."""
    session: str
    """Session uid."""
    agent: str
    """Agent id."""
    subject: str
    destination: str
    """Host, or "" where nothing was sent."""
    process: str
    """`curl 48333`"""
    reason: str
    rule: str
    credentials: tuple[Credential, ...] = ()
    more: int = 0
    """Credentials beyond those."""
    keys: frozenset[str]
    """What it is about. An alarm whose keys were all told already is nothing new."""


def alarm_of(finding: Finding, verdict: Verdict) -> Alarm | None:
    """None for what can wait."""
    need = _need(finding, verdict)
    if need is None:
        return None
    matches = _matches(finding, verdict)
    return Alarm(
        need=need,
        severity=verdict.severity,
        time_ns=finding.time_ns,
        event=finding.uid,
        session=finding.session,
        agent=finding.agent,
        subject=_shown(finding.gap.detail if finding.gap else finding.subject),
        destination=_shown(finding.host),
        process=process_name(finding.process) if finding.process else "",
        reason=_shown(verdict.reason),
        rule=verdict.rule,
        credentials=tuple(map(_credential, matches[:_MOST_CREDENTIALS])),
        more=max(0, len(matches) - _MOST_CREDENTIALS),
        keys=_keys(need, finding, verdict, matches),
    )


def guard_died(session: str, agent: str, time_ns: int) -> Alarm:
    """The guard itself is gone, so there is no event yet: the next start records one.

    Args:
        session: uid of its session.
        agent: the agent's program.
    """
    what = "the guard died; the agent goes on unwatched"
    return Alarm(
        need=Need.SENSOR,
        severity=Severity.HIGH,
        time_ns=time_ns,
        event="",
        session=session,
        agent="unknown",
        subject=what,
        destination="",
        process="",
        reason=f"The guard of {_shown(agent)} died; the agent goes on unwatched.",
        rule="agentguard:guard-died",
        keys=frozenset({f"{Need.SENSOR}|{session}|guard"}),
    )


def _need(finding: Finding, verdict: Verdict) -> Need | None:
    if verdict.disposition is Disposition.BLOCKED:
        return Need.BLOCKED
    if verdict.outcome is Outcome.LEAKED:
        return Need.LEAKED
    if verdict.disposition is Disposition.ALERT and verdict.severity is Severity.CRITICAL:
        return Need.CRITICAL
    if verdict.outcome is Outcome.EXPOSED:
        return Need.EXPOSED
    if finding.gap is not None and finding.gap.type in _DIED and verdict.outcome is Outcome.UNKNOWN:
        return Need.SENSOR
    return None


def _matches(finding: Finding, verdict: Verdict) -> list[SecretMatch]:
    """Each credential once, without what is publishable."""
    at_fault = guilty(finding.matches, finding.host, verdict.outcome)
    return list({match.fingerprint: match for match in at_fault if not match.public}.values())


def _keys(need: Need, finding: Finding, verdict: Verdict, matches: list[SecretMatch]) -> frozenset[str]:
    """Of credentials: each with its destination, whatever the session. Of a sensor: in its session."""
    if finding.gap is not None:
        return frozenset({f"{need}|{finding.session}|{finding.gap.sensor}"})
    where = finding.host or finding.path or finding.subject
    if not matches:
        return frozenset({f"{need}|{verdict.rule}|{where}"})
    return frozenset(f"{need}|{match.fingerprint}|{where}" for match in matches)


def _credential(match: SecretMatch) -> Credential:
    return Credential(_shown(match_name(match)), match.type, safe(match.preview), match.fingerprint)


def _shown(text: str) -> str:
    return shortened(safe(text), _LONGEST)
