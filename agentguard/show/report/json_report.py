"""The report as JSON, for programs.

One object. `session` is the object of `sessions --format json`, `events` holds the objects of
`events --format jsonl` (all of them, in order), so that a program knows them already. `flows` names the two events
of each flow by uid, `credentials` tells the story of each value by its fingerprint. Fields may join; none goes.
"""

from __future__ import annotations

from typing import Any

from agentguard.model.event import event_to_json, iso_time
from agentguard.model.posture_json import posture_to_json
from agentguard.model.session_json import session_to_json
from agentguard.model.unicode import valid_text
from agentguard.record.reader import KnownProcess
from agentguard.show.document import document
from agentguard.show.issuers import issuer_of
from agentguard.show.report.advice import headline, next_steps
from agentguard.show.report.credentials import Credential
from agentguard.show.report.data import ReportData


def render_json(data: ReportData) -> str:
    """Indented; ASCII only, so that nothing in it can act on a terminal."""
    return document("report", report_object(data)) + "\n"


def report_object(data: ReportData) -> dict[str, Any]:
    """As `show.schemas.report` describes it, but for what every document begins with."""
    return {
        "generated": iso_time(data.generated_ns),
        "session": session_to_json(data.session),
        "headline": valid_text(headline(data)),
        "steps": [
            {"do": valid_text(step.do), "why": valid_text(step.why), "page": step.page or None}
            for step in next_steps(data)
        ],
        "credentials": [_credential(data, one) for one in data.credentials],
        "flows": [
            {
                "read": source.finding.uid if source else None,
                "send": sent.finding.uid,
                "seconds": sent.finding.flow.seconds if sent.finding.flow else None,
                "fingerprint": sent.finding.flow.fingerprint if sent.finding.flow else None,
                "outcome": sent.verdict.outcome.value,
                "count": data.times(sent),
            }
            for sent, source in data.flows
        ],
        "posture": posture_to_json(data.posture) if data.posture else None,
        "events_total": data.total,
        "events": [event_to_json(event) for event in data.events],
        "processes": [_process(one) for one in data.processes],
    }


def _credential(data: ReportData, one: Credential) -> dict[str, Any]:
    kind = issuer_of(data.issuers, one.type)
    return {
        "fingerprint": one.fingerprint,
        "type": one.type,
        "type_name": kind.name,
        "name": valid_text(one.name),
        "preview": one.preview,
        "public": one.public,
        "sources": [valid_text(source) for source in one.sources],
        "issuer_hosts": list(one.issuer_hosts),
        "reads": one.reads,
        "sends": [event.finding.uid for event in one.sends],
        "hosts": [valid_text(host) for host in one.hosts],
        "outcome": one.outcome.value,
        "rotation": kind.rotation or None,
        "rotated": iso_time(data.rotated[one.fingerprint]) if one.fingerprint in data.rotated else None,
    }


def _process(one: KnownProcess) -> dict[str, Any]:
    return {
        "pid": one.pid,
        "parent_pid": one.parent_pid or None,
        "start_time": one.start_time,
        "name": one.name,
        "exe": one.exe,
        "cmdline": list(one.cmdline),
        "first_seen": iso_time(one.first_seen_ns),
    }
