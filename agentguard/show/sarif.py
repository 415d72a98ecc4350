"""SARIF 2.1.0, as code scanning services take it: rules, results, and what could not be done."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from agentguard import __version__
from agentguard.model.verdict import Severity
from agentguard.show.text import safe

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Severity.INFO: "note",
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
_SCORES = {
    Severity.INFO: "0.0",
    Severity.LOW: "3.0",
    Severity.MEDIUM: "5.5",
    Severity.HIGH: "8.0",
    Severity.CRITICAL: "9.5",
}
"""`security-severity`, on the scale of CVSS: GitHub sorts by it."""
_ROOT = "%SRCROOT%"
_LINK = re.compile(r"[\\\[\]]")


@dataclass(frozen=True, slots=True, kw_only=True)
class SarifRule:
    """A kind of finding."""

    id: str
    title: str
    """A few words."""
    severity: Severity
    help: str
    """What to do."""
    page: str = ""
    """An https address; "" when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SarifStep:
    """One step of the way of a value. Its place is a file: viewers drop a step that has none."""

    path: str
    message: str
    time: str
    """UTC, ISO 8601."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SarifResult:
    """One finding."""

    rule: str
    severity: Severity
    message: str
    path: str
    """A member of an archive behind a `!`; in parentheses what is no file."""
    line: int
    """From 1; 0: none."""
    fingerprint: str
    """The same in every run that finds this again, wherever it has moved in its file."""
    properties: Mapping[str, Any] = field(default_factory=dict)
    steps: Sequence[SarifStep] = ()
    """Of a value that was read and then sent, in time."""
    count: int = 1
    """How often it happened."""


def sarif(
    rules: Sequence[SarifRule],
    results: Sequence[SarifResult],
    failures: Sequence[tuple[str, str]],
    *,
    found_by: str,
    properties: Mapping[str, Any] | None = None,
) -> str:
    """A log with one run. ASCII only, so that nothing in it can act on a terminal.

    Args:
        rules: every rule that a result names.
        results: in the order in which they are to be shown.
        failures: (path, reason) of what could not be looked at; a path of "" for what is no file.
        found_by: the name of the analysis: results of another one are not taken for fixed when these come in.
        properties: of the run.
    """
    places = {rule.id: number for number, rule in enumerate(rules)}
    run: dict[str, Any] = {
        "tool": {
            "driver": {"name": "AgentGuard", "semanticVersion": __version__, "rules": [_rule(rule) for rule in rules]}
        },
        "automationDetails": {"id": f"agentguard/{found_by}/"},
        "invocations": [{"executionSuccessful": not failures, "toolExecutionNotifications": _failures(failures)}],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "Where the scan was started."}}},
        "results": [_result(result, places[result.rule]) for result in results],
    }
    if properties:
        run["properties"] = dict(properties)
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(rule: SarifRule) -> dict[str, Any]:
    words = {
        "id": rule.id,
        "name": "".join(part.capitalize() for part in rule.id.rpartition(":")[2].split("-")),
        "shortDescription": {"text": rule.title},
        "help": {"text": rule.help},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"security-severity": _SCORES[rule.severity], "tags": ["security", "secret"]},
    }
    return {**words, "helpUri": rule.page} if rule.page else words


def _result(result: SarifResult, index: int) -> dict[str, Any]:
    out = {
        "ruleId": result.rule,
        "ruleIndex": index,
        "level": _LEVELS[result.severity],
        "message": _message(result.message),
        "locations": [_location(result.path, result.line)],
        "partialFingerprints": {"agentguard/v1": result.fingerprint},
        "properties": {"severity": result.severity.value, **result.properties},
    }
    if result.steps:
        out["codeFlows"] = [{"threadFlows": [{"locations": [_step(step) for step in result.steps]}]}]
    return {**out, "occurrenceCount": result.count} if result.count > 1 else out


def _step(step: SarifStep) -> dict[str, Any]:
    return {
        "location": {**_location(step.path, 0), "message": _message(step.message)},
        "executionTimeUtc": step.time,
    }


def _location(path: str, line: int) -> dict[str, Any]:
    """Columns are left out: SARIF counts characters, and what is found is counted in bytes."""
    file, _, member = path.partition("!")
    place: dict[str, Any] = {"artifactLocation": _artifact(file)}
    if line and not member:
        place["region"] = {"startLine": line}
    location: dict[str, Any] = {"physicalLocation": place}
    if member:
        location["logicalLocations"] = [{"fullyQualifiedName": _plain(path), "kind": "member"}]
    return location


def _artifact(path: str) -> dict[str, Any]:
    uri = quote(os.fsencode(path), safe="/")
    return {"uri": f"file://{uri}"} if path.startswith("/") else {"uri": uri, "uriBaseId": _ROOT}


def _failures(failures: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {"level": "error", "message": _message(reason)} | ({"locations": [_location(path, 0)]} if path else {})
        for path, reason in failures
    ]


def _plain(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _message(text: str) -> dict[str, str]:
    """Text for a person. Brackets would make a link of what an agent chose (SARIF 3.11.6)."""
    return {"text": _LINK.sub(r"\\\g<0>", safe(text))}
