"""Events as OCSF: what a security data lake or a SIEM takes without a parser of its own.

Written to version 1.7.0 of the schema (https://schema.ocsf.io/1.7.0), with the profiles `host` and
`security_control`. One event gives one object; one that carried a credential to somebody who should not have it, or
would have, gives a Detection Finding after it, which names the events of the flow by `metadata.uid`.

What OCSF has no word for (matches, confidence, the outcome, a gap) stands in `unmapped`, in the words of
`agentguard events --format json`. No field holds a credential: they are redacted when they are recorded.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from typing import Any

from agentguard.model.event import Event, event_to_json
from agentguard.model.finding import Activity, Kind
from agentguard.model.unicode import valid_text
from agentguard.model.verdict import Disposition, Outcome, Severity
from agentguard.show.ocsf_objects import (
    METHODS,
    actor,
    device,
    endpoint,
    file,
    http_request,
    named,
    observables,
    product,
    program,
    traffic,
)

OCSF_VERSION = "1.7.0"
PROFILES = ("host", "security_control")

BASE, FILE, PROCESS, NETWORK, HTTP, FINDING = 0, 1001, 1007, 4001, 4002, 2004
"""class_uid: Base Event, File System, Process, Network and HTTP Activity, Detection Finding."""

UNKNOWN, OTHER = 0, 99

CLASSES = {
    Kind.FILE: FILE,
    Kind.COMMAND: PROCESS,
    Kind.ENVIRONMENT: PROCESS,
    Kind.HTTP: HTTP,
    Kind.NETWORK: NETWORK,
    Kind.GAP: BASE,
    Kind.FINDING: FINDING,
    Kind.SESSION: BASE,
}
NAMES = {
    BASE: "Base Event",
    FILE: "File System Activity",
    PROCESS: "Process Activity",
    NETWORK: "Network Activity",
    HTTP: "HTTP Activity",
    FINDING: "Detection Finding",
}
CATEGORIES = {0: "Uncategorized", 1: "System Activity", 2: "Findings", 4: "Network Activity"}

_ACTIVITIES: dict[int, dict[Activity, tuple[int, str]]] = {
    FILE: {Activity.READ: (2, "Read"), Activity.WRITE: (3, "Update"), Activity.DELETE: (4, "Delete")},
    PROCESS: {Activity.EXEC: (1, "Launch")},
    NETWORK: {Activity.CONNECT: (1, "Open"), Activity.SEND: (6, "Traffic"), Activity.REPEAT: (6, "Traffic")},
    FINDING: dict.fromkeys(Activity, (1, "Create")),
}
_SEVERITIES = {
    Severity.INFO: (1, "Informational"),
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
_ACTIONS = {
    Disposition.IGNORED: (3, "Observed", 16, "No Action"),
    Disposition.LOGGED: (3, "Observed", 17, "Logged"),
    Disposition.ALERT: (3, "Observed", 19, "Alert"),
    Disposition.BLOCKED: (2, "Denied", 2, "Blocked"),
}
"""action_id and disposition_id, each with its caption."""


def ocsf_lines(event: Event) -> str:
    """One object a line, without the last line's end. Pure ASCII: nothing in it can act on a terminal."""
    return "\n".join(map(json.dumps, ocsf_events(event)))


def ocsf_events(event: Event) -> Iterator[dict[str, Any]]:
    """The event, then what was found in it."""
    yield {**_common(event, CLASSES[event.finding.kind], *_activity(event)), **_own(event)}
    if event.finding.kind is not Kind.FINDING and _is_finding(event):
        yield {**_common(event, FINDING, 1, "Create", suffix=":finding"), **_finding(event)}


def _is_finding(event: Event) -> bool:
    """A credential went, or was on its way, to somebody who should not have it."""
    if event.finding.activity is not Activity.SEND:
        return False
    verdict = event.verdict
    return verdict.outcome in (Outcome.EXPOSED, Outcome.LEAKED) or verdict.disposition is Disposition.BLOCKED


def _activity(event: Event) -> tuple[int, str]:
    """activity_id and its caption; 99 carries our own word for it."""
    finding, class_uid = event.finding, CLASSES[event.finding.kind]
    own = (OTHER, finding.activity.value.capitalize())
    if class_uid == HTTP:
        return METHODS.get(finding.method.upper(), own)
    return _ACTIVITIES.get(class_uid, {}).get(finding.activity, own)


def _common(event: Event, class_uid: int, activity: int, activity_name: str, *, suffix: str = "") -> dict[str, Any]:
    """The attributes that every class has, and those of the two profiles."""
    finding, verdict = event.finding, event.verdict
    severity, severity_name = _SEVERITIES[verdict.severity]
    action, action_name, disposition, disposition_name = _ACTIONS[verdict.disposition]
    category = class_uid // 1000
    out = {
        "metadata": {
            "version": OCSF_VERSION,
            "product": product(),
            "profiles": list(PROFILES),
            "uid": finding.uid + suffix,
            "correlation_uid": finding.session,
            "sequence": event.seq,
            "log_name": "agentguard",
            "log_provider": finding.sensor,
        },
        "time": finding.time_ns // 1_000_000,
        "class_uid": class_uid,
        "class_name": NAMES[class_uid],
        "category_uid": category,
        "category_name": CATEGORIES[category],
        "activity_id": activity,
        "activity_name": activity_name,
        "type_uid": class_uid * 100 + activity,
        "type_name": f"{NAMES[class_uid]}: {activity_name}",
        "severity_id": severity,
        "severity": severity_name,
        "message": valid_text(verdict.reason or finding.subject),
        "action_id": action,
        "action": action_name,
        "disposition_id": disposition,
        "disposition": disposition_name,
        "is_alert": verdict.disposition in (Disposition.ALERT, Disposition.BLOCKED),
        "policy": {"name": valid_text(verdict.rule) or "none"},
        "device": device(platform.node(), platform.system()),
        "actor": actor(finding),
        "observables": observables(finding, evidence=class_uid == FINDING),
        "unmapped": _unmapped(event),
    }
    return {**out, "count": finding.count} if finding.count > 1 else out


def _unmapped(event: Event) -> dict[str, Any]:
    """What has no place in OCSF, under the names of the event's own JSON."""
    own = event_to_json(event)
    names = (
        "session",
        "agent",
        "kind",
        "activity",
        "subject",
        "sensor",
        "attribution",
        "confidence",
        "matches",
        "flow",
    )
    more = ("file", "command_rule", "gap", "repeats", "method", "protocol", "asked_host", "destination", "outcome")
    return {name: own[name] for name in (*names, *more) if own[name] not in (None, [])}


def _own(event: Event) -> dict[str, Any]:
    """What a class requires beside the common."""
    finding, class_uid = event.finding, CLASSES[event.finding.kind]
    if class_uid == FILE:
        return {"file": file(finding.path or finding.subject)}
    if class_uid == PROCESS:
        launched = program(finding.process) if finding.process else {"name": named(finding.subject), "uid": finding.uid}
        return {"process": launched, **({"launch_type_id": 3} if finding.activity is Activity.EXEC else {})}
    if class_uid == NETWORK:
        return {"dst_endpoint": endpoint(finding), **traffic(finding)}
    if class_uid == HTTP:
        return {"dst_endpoint": endpoint(finding), "http_request": http_request(finding), **traffic(finding)}
    return _finding(event) if class_uid == FINDING else {}


def _finding(event: Event) -> dict[str, Any]:
    """Of a Detection Finding: what was found, by which rule, and the events that show it."""
    finding, verdict = event.finding, event.verdict
    related = [finding.flow.read] if finding.flow else []
    evidence: dict[str, Any] = {"actor": actor(finding)}
    if finding.host:
        evidence["dst_endpoint"] = endpoint(finding)
    if finding.kind is Kind.HTTP:
        evidence["http_request"] = http_request(finding)
    sources = dict.fromkeys(path for path in (finding.path, *(one.source_path for one in finding.matches)) if path)
    return {
        "finding_info": {
            "uid": f"{finding.uid}:finding",
            "title": valid_text(verdict.reason or finding.subject),
            "analytic": {"name": valid_text(verdict.rule) or "none", "type_id": 1, "type": "Rule"},
            "related_events": [{"uid": uid} for uid in [*related, finding.uid]],
        },
        "evidences": [evidence, *({"file": file(path)} for path in sources)],
        "status_id": 1,
        "status": "New",
    }
