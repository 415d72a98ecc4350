"""An event: what is kept, shown and exported. Its JSON is what scripts rely on (DESIGN section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agentguard.model.access import Access
from agentguard.model.finding import Activity, Finding, Flow, Gap, Kind
from agentguard.model.observation import GapType
from agentguard.model.process import Ancestor, Attribution, Confidence, Process
from agentguard.model.secret import SecretMatch
from agentguard.model.unicode import valid_text
from agentguard.model.verdict import Destination, Disposition, Outcome, Severity, Verdict


@dataclass(frozen=True, slots=True)
class Event:
    """A finding with its verdict and its place in the session's chain."""

    seq: int
    """1, 2, 3, ... without a hole in one session."""
    finding: Finding
    verdict: Verdict


def iso_time(time_ns: int) -> str:
    """UTC, ISO 8601, six digits of microseconds, `Z`."""
    moment = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time_ns // 1000 % 1_000_000:06d}Z"


def parse_time(text: str) -> int:
    """The inverse of `iso_time`: ns since the epoch, at microsecond precision."""
    moment = datetime.fromisoformat(text)
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000_000 + moment.microsecond * 1000


def event_to_json(event: Event) -> dict[str, Any]:
    """The public object of `events --format jsonl` and `report --format json`. Text in it is valid Unicode."""
    finding, verdict = event.finding, event.verdict
    out: dict[str, Any] = {
        "uid": finding.uid,
        "time": iso_time(finding.time_ns),
        "session": finding.session,
        "agent": finding.agent,
        "seq": event.seq,
        "kind": finding.kind,
        "activity": finding.activity,
        "subject": valid_text(finding.subject),
        "path": valid_text(finding.path) or None,
        "host": valid_text(finding.host) or None,
        "port": finding.port or None,
        "asked_host": valid_text(finding.asked_host) or None,
        "method": finding.method or None,
        "protocol": finding.protocol or None,
        "bytes": finding.size or None,
        "sensor": finding.sensor,
        "process": _process_to_json(finding.process),
        "attribution": finding.attribution,
        "confidence": finding.confidence,
        "matches": [_match_to_json(match) for match in finding.matches],
        "flow": _flow_to_json(finding.flow),
        "file": {"kind": finding.file_kind, "agent": finding.file_agent or None} if finding.file_kind else None,
        "command_rule": finding.command_rule or None,
        "gap": _gap_to_json(finding.gap, verdict.outcome),
        "count": finding.count,
        "repeats": finding.repeats or None,
        "destination": verdict.destination,
        "severity": verdict.severity,
        "disposition": verdict.disposition,
        "outcome": verdict.outcome,
        "rule": verdict.rule,
        "reason": valid_text(verdict.reason),
    }
    return out


def event_from_json(data: dict[str, Any]) -> Event:
    """The inverse of `event_to_json`, as far as the public object goes."""
    file = data.get("file") or {}
    finding = Finding(
        uid=data["uid"],
        time_ns=parse_time(data["time"]),
        session=data["session"],
        agent=data["agent"],
        kind=Kind(data["kind"]),
        activity=Activity(data["activity"]),
        subject=data["subject"],
        sensor=data["sensor"],
        process=_process_from_json(data["process"]),
        attribution=Attribution(data["attribution"]),
        confidence=Confidence(data["confidence"]),
        path=data["path"] or "",
        host=data["host"] or "",
        port=data["port"] or 0,
        asked_host=data.get("asked_host") or "",
        method=data["method"] or "",
        protocol=data["protocol"] or "",
        size=data.get("bytes") or 0,
        matches=tuple(match_from_json(match) for match in data["matches"]),
        flow=_flow_from_json(data["flow"]),
        file_kind=file.get("kind") or "",
        file_agent=file.get("agent") or "",
        command_rule=data.get("command_rule") or "",
        gap=_gap_from_json(data.get("gap")),
        count=data.get("count", 1),
        repeats=data.get("repeats") or "",
    )
    verdict = Verdict(
        disposition=Disposition(data["disposition"]),
        severity=Severity(data["severity"]),
        rule=data["rule"],
        reason=data["reason"],
        outcome=Outcome(data["outcome"]),
        destination=Destination(data["destination"]) if data["destination"] else None,
    )
    return Event(data["seq"], finding, verdict)


def _process_to_json(process: Process | None) -> dict[str, Any] | None:
    if process is None:
        return None
    return {
        "pid": process.pid,
        "name": valid_text(process.name),
        "exe": valid_text(process.exe),
        "cmdline": [valid_text(part) for part in process.cmdline],
        "start_time": process.start_time,
        "ancestors": [{"pid": parent.pid, "name": valid_text(parent.name)} for parent in process.ancestors],
    }


def _process_from_json(data: dict[str, Any] | None) -> Process | None:
    if data is None:
        return None
    return Process(
        pid=data["pid"],
        name=data["name"],
        exe=data["exe"],
        cmdline=tuple(data["cmdline"]),
        start_time=data["start_time"],
        ancestors=tuple(Ancestor(parent["pid"], parent["name"]) for parent in data["ancestors"]),
    )


def _match_to_json(match: SecretMatch) -> dict[str, Any]:
    return {
        "type": match.type,
        "name": valid_text(match.name),
        "fingerprint": match.fingerprint,
        "preview": match.preview,
        "place": valid_text(match.place),
        "encoding": list(match.encoding),
        "issuer_hosts": list(match.issuer_hosts),
        "checksum_valid": match.checksum_valid,
        "public": match.public,
        "source_path": valid_text(match.source_path) or None,
        "access": match.access,
    }


def match_from_json(data: dict[str, Any]) -> SecretMatch:
    """Of the object in an event's `matches`."""
    return SecretMatch(
        type=data["type"],
        name=data["name"],
        fingerprint=data["fingerprint"],
        preview=data["preview"],
        place=data["place"],
        encoding=tuple(data["encoding"]),
        issuer_hosts=tuple(data["issuer_hosts"]),
        checksum_valid=data["checksum_valid"],
        public=data["public"],
        source_path=data["source_path"] or "",
        access=Access(data.get("access") or Access.USUAL),
    )


def _flow_to_json(flow: Flow | None) -> dict[str, Any] | None:
    if flow is None:
        return None
    return {"read": flow.read, "seconds": round(flow.seconds, 6), "fingerprint": flow.fingerprint}


def _flow_from_json(data: dict[str, Any] | None) -> Flow | None:
    return Flow(data["read"], data["seconds"], data["fingerprint"]) if data else None


def _gap_to_json(gap: Gap | None, outcome: Outcome) -> dict[str, Any] | None:
    if gap is None:
        return None
    return {
        "type": gap.type,
        "sensor": gap.sensor,
        "detail": valid_text(gap.detail),
        "remedy": gap.remedy,
        "count": gap.count,
        "covered_by": gap.covered_by or None,
        "secret_within_reach": gap.secret_within_reach,
        "counts": outcome is Outcome.UNKNOWN,
    }


def _gap_from_json(data: dict[str, Any] | None) -> Gap | None:
    if data is None:
        return None
    return Gap(
        type=GapType(data["type"]),
        sensor=data["sensor"],
        detail=data["detail"],
        remedy=data["remedy"],
        count=data["count"],
        covered_by=data["covered_by"] or "",
        secret_within_reach=data["secret_within_reach"],
    )
