"""What SARIF 2.1.0 asks of the parts we use, written down from the OASIS standard as JSON Schema.

Stricter than the standard: a property that we do not write is refused.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
LEVEL: Schema = {"enum": ["none", "note", "warning", "error"]}
BAG: Schema = {"type": "object"}
TIME: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z$"}
URI: Schema = {"type": "string", "pattern": r"^([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})+$"}


def thing(required: str, **properties: Schema) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": required.split(),
    }


def several(items: Schema, **more: int) -> Schema:
    return {"type": "array", "items": items, **more}


MESSAGE = thing("text", text=TEXT)
ARTIFACT = thing("uri", uri=URI, uriBaseId={"const": "%SRCROOT%"})
REGION = thing("startLine", startLine={"type": "integer", "minimum": 1})
PHYSICAL = thing("artifactLocation", artifactLocation=ARTIFACT, region=REGION)
LOGICAL = thing("fullyQualifiedName", fullyQualifiedName=TEXT, kind=TEXT)
LOCATION = thing("physicalLocation", physicalLocation=PHYSICAL, logicalLocations=several(LOGICAL), message=MESSAGE)
STEP = thing("location", location=LOCATION, executionTimeUtc=TIME)
FLOW = thing("threadFlows", threadFlows=several(thing("locations", locations=several(STEP, minItems=1)), minItems=1))
RULE = thing(
    "id",
    id=TEXT,
    name=TEXT,
    shortDescription=MESSAGE,
    help=MESSAGE,
    helpUri=URI,
    defaultConfiguration=thing("", level=LEVEL),
    properties=BAG,
)
RESULT = thing(
    "message ruleId ruleIndex level locations partialFingerprints",
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": 0},
    level=LEVEL,
    message=MESSAGE,
    locations=several(LOCATION, minItems=1, maxItems=1),
    partialFingerprints={"type": "object", "minProperties": 1, "additionalProperties": TEXT},
    codeFlows=several(FLOW, minItems=1),
    occurrenceCount={"type": "integer", "minimum": 2},
    properties=BAG,
)
NOTIFICATION = thing("message", level=LEVEL, message=MESSAGE, locations=several(LOCATION))
RUN = thing(
    "tool results",
    tool=thing("driver", driver=thing("name", name=TEXT, semanticVersion=TEXT, rules=several(RULE))),
    automationDetails=thing("id", id=TEXT),
    invocations=several(
        thing(
            "executionSuccessful",
            executionSuccessful={"type": "boolean"},
            toolExecutionNotifications=several(NOTIFICATION),
        )
    ),
    originalUriBaseIds={"type": "object", "additionalProperties": thing("description", description=MESSAGE)},
    results=several(RESULT),
    properties=BAG,
)
SARIF: Schema = thing(
    "version runs",
    **{"$schema": {"const": "https://json.schemastore.org/sarif-2.1.0.json"}},
    version={"const": "2.1.0"},
    runs=several(RUN, minItems=1, maxItems=1),
)
