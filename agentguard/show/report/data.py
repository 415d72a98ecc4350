"""Everything a report says of a session, gathered once from the reader."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from agentguard.model.credential import KnownCredential
from agentguard.model.event import Event
from agentguard.model.finding import Activity, Kind
from agentguard.model.posture import Posture
from agentguard.model.session import Session
from agentguard.model.verdict import Outcome, Severity
from agentguard.record.reader import Bucket, Reader, Tallies
from agentguard.show.issuers import Issuers, load_issuers
from agentguard.show.report.credentials import Credential, credentials_of

MOST_EVENTS = 2_000
"""Events a report for people holds; more are counted."""
MOST_FLOWS = 200
BUCKETS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """What the renderers get. Nothing in it is escaped yet."""

    session: Session
    events: tuple[Event, ...]
    """In their order; the grave ones and then the first ones, when there are too many."""
    total: int
    """Events of the session, shown or not."""
    flows: tuple[tuple[Event, Event | None], ...]
    """(send, the read it follows from), oldest first."""
    credentials: tuple[Credential, ...]
    """Worst first."""
    rotated: Mapping[str, int]
    """Fingerprint → when its owner said that it was replaced, ns since the epoch."""
    timeline: tuple[Bucket, ...]
    grave: tuple[tuple[int, Outcome], ...]
    """When a step of the timeline begins in which a credential leaked or was exposed; () when every event is here."""
    issuers: Issuers
    repeated: Mapping[str, int]
    """uid of a send → how often it was repeated."""
    known: Mapping[str, KnownCredential]
    """By fingerprint: what the inventory has of each credential, its uses in this session alone."""
    opened: Tallies | None
    """Of each file, over all events; None when every event is here."""
    reached: Tallies | None
    """Of each receiver, likewise."""
    posture: Posture | None
    """What the newest `check` of the session's folder found; None when it was never looked at."""
    generated_ns: int
    zone: tzinfo | None = None
    """Of the times a person reads; None: the machine's."""

    @property
    def omitted(self) -> int:
        """Events that are counted only."""
        return self.total - len(self.events)

    @property
    def reads(self) -> list[Event]:
        return [event for event in self.events if event.finding.kind is Kind.FILE]

    @property
    def sends(self) -> list[Event]:
        return [event for event in self.events if event.finding.activity is Activity.SEND]

    @property
    def commands(self) -> list[Event]:
        return [event for event in self.events if event.finding.kind in (Kind.COMMAND, Kind.ENVIRONMENT)]

    @property
    def gaps_counted(self) -> list[Event]:
        """Gaps that keep the session from being clean."""
        return [event for event in self._gaps() if event.verdict.outcome is Outcome.UNKNOWN]

    @property
    def gaps_harmless(self) -> list[Event]:
        return [event for event in self._gaps() if event.verdict.outcome is not Outcome.UNKNOWN]

    @property
    def end_ns(self) -> int:
        """Of the session, or of the time the report can tell of while it runs."""
        if self.session.end_ns is not None:
            return self.session.end_ns
        shown = [event.finding.time_ns for event in self.events[-1:]]
        # The timeline's last step begins where the last event is, or before it: that may be one that is counted only.
        return max([self.session.start_ns, *shown, *(step.start_ns for step in self.timeline[-1:])])

    def times(self, sent: Event) -> int:
        """How often that was sent, or refused."""
        return 1 + self.repeated.get(sent.finding.uid, 0)

    def _gaps(self) -> Iterable[Event]:
        return (event for event in self.events if event.finding.kind is Kind.GAP)


def gather(
    reader: Reader,
    session: Session,
    *,
    now_ns: int | None = None,
    zone: tzinfo | None = None,
) -> ReportData:
    """What the report of `session` needs.

    Raises:
        StoreError: the database cannot be read.
    """
    events = _most_telling(reader, session.uid)
    flows = reader.flows(session.uid, MOST_FLOWS, gravest_first=True)
    total, known = reader.count_events(session.uid), reader.credentials(session.uid)
    timeline, partial = reader.timeline(session.uid, BUCKETS), len(events) < total
    return ReportData(
        session=session,
        events=tuple(events),
        total=total,
        flows=tuple(sorted(flows, key=lambda flow: flow[0].seq)),
        credentials=credentials_of(events),
        rotated={one.fingerprint: one.rotated_ns for one in known if one.rotated_ns is not None},
        known={one.fingerprint: one for one in known},
        timeline=tuple(timeline),
        grave=tuple(_grave(reader, session, timeline)) if partial else (),
        issuers=load_issuers(),
        repeated=reader.repeated(session.uid),
        opened=reader.files_opened(session.uid) if partial else None,
        reached=reader.hosts_sent_to(session.uid) if partial else None,
        posture=reader.posture(session.cwd),
        generated_ns=time.time_ns() if now_ns is None else now_ns,
        zone=zone,
    )


def _grave(reader: Reader, session: Session, timeline: Sequence[Bucket]) -> list[tuple[int, Outcome]]:
    first, second = timeline[:2]
    return reader.grave_steps(session.uid, first.start_ns, second.start_ns - first.start_ns)


def _most_telling(reader: Reader, uid: str) -> list[Event]:
    """All events, or as many as a report holds: the grave ones, then gaps, then the first of the others."""
    if reader.count_events(uid) <= MOST_EVENTS:
        return reader.events(uid)
    chosen: dict[int, Event] = {}
    for events in (
        reader.events(uid, min_severity=Severity.CRITICAL, limit=MOST_EVENTS // 2),
        reader.events(uid, kinds=[Kind.GAP], min_severity=Severity.MEDIUM, limit=MOST_EVENTS // 4),
        reader.events(uid, min_severity=Severity.HIGH, limit=MOST_EVENTS),
        reader.events(uid, limit=MOST_EVENTS),
    ):
        for event in events:
            if len(chosen) < MOST_EVENTS:
                chosen.setdefault(event.seq, event)
    return [chosen[seq] for seq in sorted(chosen)]
