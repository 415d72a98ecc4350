"""JSON Schema (2020-12) of `report --format json`. Fields may join; none goes and none changes its meaning."""

from __future__ import annotations

from typing import Any

from agentguard.model.access import Access
from agentguard.model.finding import Activity, Kind
from agentguard.model.posture import Check
from agentguard.model.process import Attribution, Confidence
from agentguard.model.session import SensorState
from agentguard.model.verdict import Destination, Disposition, Outcome, Severity

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "integer"}
_FLAG: Schema = {"type": "boolean"}
_TEXT_OR_NONE: Schema = {"type": ["string", "null"]}
_NUMBER_OR_NONE: Schema = {"type": ["integer", "null"]}
_TIME: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"}
_TIME_OR_NONE: Schema = {"anyOf": [_TIME, {"type": "null"}]}
_TEXTS: Schema = {"type": "array", "items": _TEXT}


def _object(**properties: Schema) -> Schema:
    """Every field named is there; others may be too."""
    return {"type": "object", "required": list(properties), "properties": properties}


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_none(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _words(
    enum: type[
        Kind | Activity | Attribution | Confidence | Severity | Disposition | Outcome | SensorState | Access | Check
    ],
) -> Schema:
    return {"enum": [word.value for word in enum]}


_SESSION = _object(
    uid=_TEXT,
    agent=_TEXT,
    agent_name=_TEXT,
    command=_TEXTS,
    cwd=_TEXT,
    root_pid=_NUMBER,
    start=_TIME,
    end=_TIME_OR_NONE,
    exit_status=_NUMBER_OR_NONE,
    in_background=_FLAG,
    end_reason=_TEXT,
    outcome=_words(Outcome),
    outcome_reason=_TEXT,
    counts={"type": "object", "additionalProperties": _NUMBER},
    coverage=_array(
        _object(
            sensor=_TEXT,
            state=_words(SensorState),
            proved=_FLAG,
            proved_at=_TIME_OR_NONE,
            events=_NUMBER,
            drops=_NUMBER,
            reason=_TEXT,
        )
    ),
    seal=_TEXT,
)

_PROCESS = _object(
    pid=_NUMBER,
    name=_TEXT,
    exe=_TEXT,
    cmdline=_TEXTS,
    start_time=_NUMBER,
    ancestors=_array(_object(pid=_NUMBER, name=_TEXT)),
)

_MATCH = _object(
    type=_TEXT,
    name=_TEXT,
    fingerprint=_TEXT,
    preview=_TEXT,
    place=_TEXT,
    encoding=_TEXTS,
    issuer_hosts=_TEXTS,
    checksum_valid={"type": ["boolean", "null"]},
    public=_FLAG,
    source_path=_TEXT_OR_NONE,
    access=_words(Access),
)

_GAP = _object(
    type=_TEXT,
    sensor=_TEXT,
    detail=_TEXT,
    remedy=_TEXT,
    count=_NUMBER,
    covered_by=_TEXT_OR_NONE,
    secret_within_reach=_FLAG,
    counts=_FLAG,
)

EVENT_SCHEMA = _object(
    uid=_TEXT,
    time=_TIME,
    session=_TEXT,
    agent=_TEXT,
    seq={"type": "integer", "minimum": 1},
    kind=_words(Kind),
    activity=_words(Activity),
    subject=_TEXT,
    path=_TEXT_OR_NONE,
    host=_TEXT_OR_NONE,
    port=_NUMBER_OR_NONE,
    asked_host=_TEXT_OR_NONE,
    method=_TEXT_OR_NONE,
    protocol=_TEXT_OR_NONE,
    sensor=_TEXT,
    process=_or_none(_PROCESS),
    attribution=_words(Attribution),
    confidence=_words(Confidence),
    matches=_array(_MATCH),
    flow=_or_none(_object(read=_TEXT, seconds={"type": "number"}, fingerprint=_TEXT)),
    file=_or_none(_object(kind=_TEXT, agent=_TEXT_OR_NONE)),
    command_rule=_TEXT_OR_NONE,
    gap=_or_none(_GAP),
    count={"type": "integer", "minimum": 1},
    repeats=_TEXT_OR_NONE,
    destination={"enum": [*(one.value for one in Destination), None]},
    severity=_words(Severity),
    disposition=_words(Disposition),
    outcome=_words(Outcome),
    rule=_TEXT,
    reason=_TEXT,
)

_CREDENTIAL = _object(
    fingerprint=_TEXT,
    type=_TEXT,
    type_name=_TEXT,
    name=_TEXT,
    preview=_TEXT,
    public=_FLAG,
    sources=_TEXTS,
    issuer_hosts=_TEXTS,
    reads=_NUMBER,
    sends=_TEXTS,
    hosts=_TEXTS,
    outcome=_words(Outcome),
    rotation=_TEXT_OR_NONE,
    rotated=_TIME_OR_NONE,
)

_PLACES = _array(_object(path=_TEXT, line=_NUMBER, column=_NUMBER, note=_TEXT))

POSTURE_SCHEMA = _object(
    root=_TEXT,
    time=_TIME,
    seconds={"type": "number"},
    breadth=_object(home=_FLAG, history=_FLAG, older_than_days=_NUMBER),
    score={"type": "integer", "minimum": 0},
    formula=_NUMBER,
    earlier=_or_none(_object(time=_TIME, score=_NUMBER, put_right=_NUMBER, new=_NUMBER)),
    counts=_object(**{severity.value: _NUMBER for severity in Severity}),
    files=_NUMBER,
    commits=_NUMBER,
    credentials=_NUMBER,
    findings=_array(
        _object(
            id=_TEXT,
            check=_words(Check),
            severity=_words(Severity),
            title=_TEXT,
            why=_TEXT,
            fixes=_array(_object(do=_TEXT, command=_TEXT_OR_NONE, page=_TEXT_OR_NONE)),
            places=_PLACES,
            type=_TEXT_OR_NONE,
            name=_TEXT,
            preview=_TEXT,
            fingerprint=_TEXT_OR_NONE,
        )
    ),
    good=_array(_object(what=_TEXT, count=_NUMBER, places=_PLACES)),
    unread=_array(_object(path=_TEXT, reason=_TEXT)),
    notes=_TEXTS,
)
"""Of `check --format json`, and of what the report says of the folder."""

REPORT_SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "AgentGuard report of one session",
    **_object(
        schema={"const": "agentguard-report/1"},
        version=_TEXT,
        generated=_TIME,
        session=_SESSION,
        headline=_TEXT,
        steps={"type": "array", "minItems": 1, "items": _object(do=_TEXT, why=_TEXT, page=_TEXT_OR_NONE)},
        credentials=_array(_CREDENTIAL),
        flows=_array(
            _object(
                read=_TEXT_OR_NONE,
                send=_TEXT,
                seconds={"type": ["number", "null"]},
                fingerprint=_TEXT_OR_NONE,
                outcome=_words(Outcome),
                count={"type": "integer", "minimum": 1},
            )
        ),
        posture=_or_none(POSTURE_SCHEMA),
        events_total=_NUMBER,
        events=_array(EVENT_SCHEMA),
        processes=_array(
            _object(
                pid=_NUMBER,
                parent_pid=_NUMBER_OR_NONE,
                start_time=_NUMBER,
                name=_TEXT,
                exe=_TEXT,
                cmdline=_TEXTS,
                first_seen=_TIME,
            )
        ),
    ),
}
