"""What OCSF 1.7.0 asks of the classes we use, written down from https://schema.ocsf.io/1.7.0 as JSON Schema.

Compact, and stricter: an attribute that we do not send is not listed, and one that is not listed is refused.
Requirements are those of the schema, with the profiles `host` and `security_control`; captions of enums are beside
their numbers, for the schema asks that the two agree.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
WORDS: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
PORT: Schema = {"type": "integer", "minimum": 0, "maximum": 65535}
IP: Schema = {"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}], "type": "string"}


def thing(required: str, *, any_of: str = "", **properties: Schema) -> Schema:
    """An object with nothing but `properties`; `any_of`: attributes of which one at least must be there."""
    out: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    out["required"] = required.split()
    return {**out, "anyOf": [{"required": [name]} for name in any_of.split()]} if any_of else out


def several(items: Schema) -> Schema:
    return {"type": "array", "items": items, "minItems": 1}


FILE = thing("name type_id", name=TEXT, path=TEXT, type_id={"enum": [0, 1, 2, 3, 4, 5, 6, 7, 8, 99]})
ENTITY = thing("", any_of="pid uid name cmd_line", pid=NUMBER, name=TEXT)
PARENT = thing("", any_of="pid uid cpid", pid=NUMBER, name=TEXT)
PROGRAM = thing(
    "",
    any_of="pid uid cpid",
    pid=NUMBER,
    uid=TEXT,
    name=TEXT,
    cmd_line=WORDS,
    file=FILE,
    parent_process=PARENT,
    ancestry=several(ENTITY),
)
ACTOR = thing("", any_of="process user invoked_by session app_name app_uid", app_name=TEXT, process=PROGRAM)
ENDPOINT = thing("", any_of="ip uid name hostname svc_name domain", ip=IP, hostname=TEXT, port=PORT)
METHODS = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"]
URL = thing("", any_of="url_string path", url_string=TEXT, hostname=TEXT, scheme=TEXT, port=PORT)
REQUEST = thing("", url=URL, http_method={"enum": METHODS}, version=TEXT)
OS = thing("name type_id", name=TEXT, type_id={"enum": [0, 99, 100, 101, 200, 201, 300, 301, 302, 400, 401, 402]})
DEVICE = thing("type_id", type_id={"enum": [*range(16), 99]}, type=TEXT, hostname=TEXT, os=OS)
TRAFFIC = thing("bytes_out", bytes_out={"type": "integer", "minimum": 1})
PRODUCT = thing("", name=TEXT, vendor_name=TEXT, version=TEXT)
METADATA = thing(
    "version product",
    version={"const": "1.7.0"},
    product=PRODUCT,
    profiles={"const": ["host", "security_control"]},
    uid=TEXT,
    correlation_uid=TEXT,
    sequence=NUMBER,
    log_name=TEXT,
    log_provider=TEXT,
)
OBSERVABLE = thing("type_id", type_id={"enum": [1, 2, 45]}, type=TEXT, name=TEXT, value=TEXT)
ANALYTIC = thing("type_id", name=TEXT, type={"const": "Rule"}, type_id={"const": 1})
INFO = thing("uid", uid=TEXT, title=TEXT, analytic=ANALYTIC, related_events=several(thing("uid", uid=TEXT)))
EVIDENCE = thing(
    "", any_of="actor dst_endpoint file process", actor=ACTOR, dst_endpoint=ENDPOINT, http_request=REQUEST, file=FILE
)

BASE = {
    "metadata": METADATA,
    "time": {"type": "integer", "minimum": 1_500_000_000_000, "maximum": 4_000_000_000_000},
    "class_uid": NUMBER,
    "class_name": TEXT,
    "category_uid": NUMBER,
    "category_name": TEXT,
    "activity_id": NUMBER,
    "activity_name": TEXT,
    "type_uid": NUMBER,
    "type_name": TEXT,
    "severity_id": {"enum": [0, 1, 2, 3, 4, 5, 6, 99]},
    "severity": TEXT,
    "message": TEXT,
    "action_id": {"enum": [0, 1, 2, 3, 4, 99]},
    "action": TEXT,
    "disposition_id": {"enum": [*range(28), 99]},
    "disposition": TEXT,
    "is_alert": {"type": "boolean"},
    "policy": thing("", any_of="name type uid", name=TEXT),
    "device": DEVICE,
    "actor": ACTOR,
    "observables": {"type": "array", "items": OBSERVABLE},
    "unmapped": {"type": "object"},
    "count": {"type": "integer", "minimum": 2},
}
REQUIRED = "metadata time class_uid category_uid activity_id type_uid severity_id"

CLASSES: dict[int, Schema] = {
    0: thing(REQUIRED, **BASE),
    1001: thing(f"{REQUIRED} actor device file", **BASE, file=FILE),
    1007: thing(f"{REQUIRED} actor device process", **BASE, process=PROGRAM, launch_type_id={"enum": [0, 1, 2, 3, 99]}),
    4001: thing(REQUIRED, any_of="dst_endpoint src_endpoint", **BASE, dst_endpoint=ENDPOINT, traffic=TRAFFIC),
    4002: {
        **thing(
            REQUIRED,
            any_of="dst_endpoint src_endpoint",
            **BASE,
            dst_endpoint=ENDPOINT,
            http_request=REQUEST,
            traffic=TRAFFIC,
        ),
        "allOf": [{"anyOf": [{"required": ["http_request"]}, {"required": ["http_response"]}]}],
    },
    2004: thing(
        f"{REQUIRED} finding_info",
        **BASE,
        finding_info=INFO,
        evidences=several(EVIDENCE),
        status_id={"const": 1},
        status={"const": "New"},
    ),
}
"""class_uid → its schema."""

OTHER = {0: "Unknown", 99: "Other"}
ACTIVITIES = {
    0: {},
    1001: {1: "Create", 2: "Read", 3: "Update", 4: "Delete", 5: "Rename", 14: "Open"},
    1007: {1: "Launch", 2: "Terminate", 3: "Open", 4: "Inject", 5: "Set User ID"},
    4001: {1: "Open", 2: "Close", 3: "Reset", 4: "Fail", 5: "Refuse", 6: "Traffic", 7: "Listen"},
    4002: dict(enumerate(["Connect", "Delete", "Get", "Head", "Options", "Post", "Put", "Trace", "Patch"], 1)),
    2004: {1: "Create", 2: "Update", 3: "Close"},
}
"""class_uid → activity_id → its caption; 99 takes the caption of the source."""

CLASS_NAMES = {
    0: ("Uncategorized", "Base Event"),
    1001: ("System Activity", "File System Activity"),
    1007: ("System Activity", "Process Activity"),
    4001: ("Network Activity", "Network Activity"),
    4002: ("Network Activity", "HTTP Activity"),
    2004: ("Findings", "Detection Finding"),
}
SEVERITIES = {1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical", 6: "Fatal"}
ACTIONS = {1: "Allowed", 2: "Denied", 3: "Observed", 4: "Modified"}
DISPOSITIONS = {1: "Allowed", 2: "Blocked", 15: "Detected", 16: "No Action", 17: "Logged", 19: "Alert"}
