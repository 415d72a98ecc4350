"""The story of each credential in a session: where it was read, by whom, where it went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from agentguard.model.event import Event
from agentguard.model.fault import at_fault
from agentguard.model.finding import Activity
from agentguard.model.secret import KNOWN_VALUE, SecretMatch
from agentguard.model.verdict import Disposition, Outcome


@dataclass(slots=True)
class Credential:
    """One value, by its fingerprint. Built while events are walked, then only read."""

    fingerprint: str
    type: str = KNOWN_VALUE
    name: str = ""
    preview: str = ""
    public: bool = False
    sources: list[str] = field(default_factory=list)
    """Paths, commands or the environment it came from."""
    issuer_hosts: tuple[str, ...] = ()
    reads: int = 0
    sends: list[Event] = field(default_factory=list)
    outcome: Outcome = Outcome.CLEAN
    """The worst that one of its sends came to."""
    last_ns: int = 0
    """When it was last read, inherited or sent."""

    @property
    def passed(self) -> list[Event]:
        """Sends that went through."""
        return [event for event in self.sends if event.verdict.disposition is not Disposition.BLOCKED]

    @property
    def hosts(self) -> list[str]:
        """Where it went, each once, in order."""
        return list(dict.fromkeys(event.finding.host or event.finding.subject for event in self.passed))

    def at(self, outcome: Outcome) -> list[Event]:
        """Its sends of that outcome."""
        return [event for event in self.passed if event.verdict.outcome is outcome]


def credentials_of(events: Iterable[Event]) -> tuple[Credential, ...]:
    """Worst first, then in the order in which they were seen."""
    found: dict[str, Credential] = {}
    for event in events:
        for match in event.finding.matches:
            credential = found.setdefault(match.fingerprint, Credential(match.fingerprint))
            follow(credential, event, match)
    return tuple(sorted(found.values(), key=lambda one: (-one.outcome.rank, -len(one.passed))))


def follow(credential: Credential, event: Event, match: SecretMatch) -> None:
    """What one more event tells of a credential that is among its matches."""
    _describe(credential, match)
    _follow(credential, event, match)


def _describe(credential: Credential, match: SecretMatch) -> None:
    """A recognised type says more than a followed value, a name more than none."""
    if credential.type == KNOWN_VALUE:
        credential.type = match.type
    credential.name = credential.name or match.own_name
    credential.preview = credential.preview or match.preview
    credential.public = credential.public or match.public
    credential.issuer_hosts = credential.issuer_hosts or match.issuer_hosts


def _follow(credential: Credential, event: Event, match: SecretMatch) -> None:
    finding = event.finding
    credential.last_ns = max(credential.last_ns, finding.time_ns)
    if finding.activity is Activity.SEND:
        if event not in credential.sends[-1:]:
            credential.sends.append(event)
        if event.verdict.disposition is not Disposition.BLOCKED and match in at_fault(event):
            credential.outcome = max(credential.outcome, event.verdict.outcome, key=lambda one: one.rank)
        sources = [match.source_path]
    else:
        credential.reads += 1
        sources = [finding.path or match.source_path or _origin(finding.activity, finding.subject)]
    credential.sources += [source for source in sources if source and source not in credential.sources]


def _origin(activity: Activity, subject: str) -> str:
    return "environment" if activity is Activity.INHERIT else subject
