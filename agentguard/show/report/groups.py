"""Events that say the same, as one row: a session reads one file forty times, a person wants to read it once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from agentguard.model.event import Event
from agentguard.model.finding import Activity


@dataclass(frozen=True, slots=True)
class Group:
    """Events that differ in their time and pid only; never empty, oldest first."""

    events: tuple[Event, ...]

    @property
    def first(self) -> Event:
        return self.events[0]

    @property
    def last(self) -> Event:
        return self.events[-1]

    def __len__(self) -> int:
        return len(self.events)


def grouped(events: Iterable[Event]) -> list[Group]:
    """Gravest first, then in the order in which they began."""
    groups = list(_by(_same, events))
    return sorted(groups, key=lambda group: -group.first.verdict.severity.rank)


def _same(event: Event) -> Hashable:
    finding, verdict = event.finding, event.verdict
    where = finding.path if finding.activity is Activity.READ else finding.subject
    who = finding.process.name if finding.process else ""
    what = frozenset(match.fingerprint for match in finding.matches)
    return where, who, what, verdict.rule, verdict.disposition, verdict.severity, finding.attribution


def _by(key: Callable[[Event], Hashable], events: Iterable[Event]) -> Iterable[Group]:
    found: dict[Hashable, list[Event]] = {}
    for event in events:
        found.setdefault(key(event), []).append(event)
    return [Group(tuple(group)) for group in found.values()]
