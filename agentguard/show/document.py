"""The JSON document that a verb prints: it says what it is, so that a program need not guess.

Its first two fields are `schema`, as `agentguard-keys/1`, and `version`, of the AgentGuard that wrote it. The number
changes when a field goes or means something else; fields join without. `agentguard schema NAME` prints what is in it.
`events` and `sessions` print their rows as a bare array or as lines; the schemas of those carry the number alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agentguard import __version__

VERSIONS = {
    "check": 1,
    "compare": 1,
    "doctor": 1,
    "events": 1,
    "hook-status": 1,
    "keys": 1,
    "notification": 1,
    "notify": 1,
    "policy-check": 1,
    "policy-explain": 1,
    "policy-list": 1,
    "policy-test": 1,
    "report": 1,
    "report-range": 1,
    "scan": 1,
    "sessions": 1,
    "status": 1,
    "verify": 1,
}
"""Of each schema."""


def schema_name(name: str) -> str:
    """`agentguard-keys/1`"""
    return f"agentguard-{name}/{VERSIONS[name]}"


def head(name: str) -> dict[str, Any]:
    """The fields that every document begins with."""
    return {"schema": schema_name(name), "version": __version__}


def document(name: str, body: Mapping[str, Any]) -> str:
    """Indented; ASCII only, so that nothing in it can act on a terminal."""
    return json.dumps({**head(name), **body}, indent=1)
