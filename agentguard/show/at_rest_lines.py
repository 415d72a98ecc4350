"""The result of a scan as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from agentguard.model.at_rest import ScanResult, SecretAtRest
from agentguard.show.table import table
from agentguard.show.text import safe

_HEADER = ("SEVERITY", "TYPE", "PREVIEW", "WHERE")


def text_lines(result: ScanResult, room: int) -> Iterator[str]:
    """A table of what was found."""
    rows = [(secret.severity, secret.match.type, secret.match.preview, _where(secret)) for secret in result.found]
    if rows:
        yield from table(_HEADER, rows, room)


def result_json(result: ScanResult) -> str:
    """One object."""
    return json.dumps(asdict(result), indent=2)


def _where(secret: SecretAtRest) -> str:
    path = safe(secret.path)
    return f"{path}:{secret.line}:{secret.column}" if secret.line else path
