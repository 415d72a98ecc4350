"""A session as SARIF: each credential that went, or nearly went, to somebody who should not have it, and each alert.

A result stands at the file that the credential came from, for that is where it can be put right; its code flow leads
from the read to the send. What happened again is one result with a count. Gaps that counted are notifications of the
run, which is not called successful then: what could have left unseen was not looked at.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agentguard.model.event import Event, iso_time
from agentguard.model.fault import at_fault
from agentguard.model.finding import Activity, Kind
from agentguard.model.session import Session
from agentguard.model.unicode import valid_text
from agentguard.model.verdict import Disposition, Outcome
from agentguard.record.reader import EventQuery, Reader
from agentguard.show.phrases import match_names, process_name
from agentguard.show.report.pages import each_event
from agentguard.show.sarif import SarifResult, SarifRule, SarifStep, sarif

MOST_RESULTS = 5_000
"""What GitHub shows of one upload; the gravest come first, the others are counted."""
MOST_GAPS = 100

_NO_FILE = "(environment)"
"""Where a value came from that no file is known to hold."""

_HELP = {
    Outcome.LEAKED: "Revoke the credential where it was issued, and put a new one in its place.",
    Outcome.EXPOSED: "Replace the credential: a model provider has it, and may log or keep it.",
}
_LOOK = "See who did it and why; a rule in policy.yaml can say that it is expected, or block it."


@dataclass(slots=True)
class _Told:
    """A result in the making: the first event of its kind, and how often it happened."""

    event: Event
    count: int


def session_sarif(reader: Reader, session: Session) -> str:
    """A log with one run.

    Raises:
        StoreError: the session cannot be read.
    """
    told: dict[tuple[str, ...], _Told] = {}
    gaps: list[tuple[str, str]] = []
    for event in each_event(reader, EventQuery(session=session.uid)):
        if event.finding.kind is Kind.GAP:
            if event.verdict.outcome is Outcome.UNKNOWN and len(gaps) < MOST_GAPS:
                gaps.append(("", _gap_words(event)))
        elif _is_result(event):
            one = told.setdefault(_identity(session, event), _Told(event, 0))
            one.count += event.finding.count
    chosen = sorted(told.items(), key=lambda item: -item[1].event.verdict.severity.rank)
    if len(chosen) > MOST_RESULTS:
        gaps.append(("", f"{len(chosen) - MOST_RESULTS:,} results less grave than these are left out."))
        chosen = chosen[:MOST_RESULTS]
    rules = list(_rules(one.event for _, one in chosen))
    results = [_result(reader, session, key, one) for key, one in chosen]
    about = {
        "session": session.uid,
        "agent": session.agent,
        "outcome": session.outcome.value,
        "outcomeReason": valid_text(session.outcome_reason),
        "start": iso_time(session.start_ns),
    }
    return sarif(rules, results, gaps, found_by="session", properties=about)


def _is_result(event: Event) -> bool:
    verdict = event.verdict
    return verdict.disposition in (Disposition.ALERT, Disposition.BLOCKED) or verdict.outcome in _HELP


def _gap_words(event: Event) -> str:
    gap = event.finding.gap
    assert gap is not None
    return f"{gap.detail}. To close it: {gap.remedy}." if gap.remedy else f"{gap.detail}."


def _identity(session: Session, event: Event) -> tuple[str, ...]:
    """What is the same each time it happens, in this session and the next: no time, no pid, no keyed fingerprint."""
    finding = event.finding
    matches = sorted({f"{match.type} {match.name} {match.preview}" for match in finding.matches})
    where = finding.host or (finding.subject if finding.kind is not Kind.FILE else "")
    return (event.verdict.rule, event.verdict.disposition.value, _place(session, event, None), where, *matches)


def _rules(events: Iterable[Event]) -> Iterator[SarifRule]:
    """Each rule that fired, once; they come gravest first."""
    seen: set[str] = set()
    for event in events:
        rule, verdict = _rule_name(event), event.verdict
        if rule not in seen:
            seen.add(rule)
            words = rule.rpartition(":")[2].replace("-", " ")
            title = words[:1].upper() + words[1:]
            yield SarifRule(id=rule, title=title, severity=verdict.severity, help=_HELP.get(verdict.outcome, _LOOK))


def _rule_name(event: Event) -> str:
    return valid_text(event.verdict.rule) or "unnamed"


def _result(reader: Reader, session: Session, key: tuple[str, ...], told: _Told) -> SarifResult:
    event = told.event
    finding, verdict = event.finding, event.verdict
    source = reader.event(finding.flow.read) if finding.flow else None
    names = match_names(at_fault(event))
    return SarifResult(
        rule=_rule_name(event),
        severity=verdict.severity,
        message=f"{verdict.reason} {finding.subject}{f' ({names})' if names else ''}".strip(),
        path=_place(session, event, source),
        line=0,
        fingerprint=hashlib.sha256("\0".join(key).encode("utf-8", "surrogatepass")).hexdigest()[:32],
        properties={
            "event": finding.uid,
            "time": iso_time(finding.time_ns),
            "activity": finding.activity.value,
            "outcome": verdict.outcome.value,
            "disposition": verdict.disposition.value,
            "destination": verdict.destination.value if verdict.destination else None,
            "host": valid_text(finding.host) or None,
            "fingerprints": [match.fingerprint for match in finding.matches],
        },
        steps=list(_steps(session, event, source)) if finding.activity is Activity.SEND else (),
        count=told.count,
    )


def _steps(session: Session, event: Event, source: Event | None) -> Iterator[SarifStep]:
    """Read, then sent."""
    path = _place(session, event, source)
    if source is not None:
        words = f"{source.finding.activity.value} by {process_name(source.finding.process)}: {source.finding.subject}"
        yield SarifStep(path=path, message=words, time=iso_time(source.finding.time_ns))
    act = "stopped" if event.verdict.disposition is Disposition.BLOCKED else "sent"
    words = f"{act} by {process_name(event.finding.process)}: {event.finding.subject}"
    yield SarifStep(path=path, message=words, time=iso_time(event.finding.time_ns))


def _place(session: Session, event: Event, source: Event | None) -> str:
    """The file a credential came from, relative to the session's folder where it lies in it."""
    known = [event.finding.path, *(match.source_path for match in event.finding.matches)]
    path = next(filter(None, [*known, source.finding.path if source else ""]), "")
    if not path.startswith("/"):
        return path or _NO_FILE
    inside = path.startswith(session.cwd.rstrip("/") + "/")
    return os.path.relpath(path, session.cwd) if inside else path
