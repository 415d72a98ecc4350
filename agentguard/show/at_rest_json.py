"""The result of a scan for another program: one JSON object. More fields may join these."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from agentguard.model.at_rest import Commit, ScanResult, SecretAtRest
from agentguard.show.document import document
from agentguard.show.issuers import Issuers, issuer_of


def result_json(result: ScanResult, issuers: Issuers) -> str:
    """Indented, for it is read by people, too."""
    return document(
        "scan",
        {
            "found": [secret_json(one, issuers) for one in result.found],
            "unread": [{"path": _text(one.path), "reason": _text(one.reason)} for one in result.unread],
            "notes": list(result.notes),
            "passed_over": {"allowed": result.allowed, "baseline": result.known, "severity": result.below},
            "scanned": {
                "files": result.files,
                "bytes": result.bytes,
                "commits": result.commits,
                "seconds": round(result.seconds, 3),
            },
        },
    )


def secret_json(one: SecretAtRest, issuers: Issuers) -> dict[str, Any]:
    """One place of one credential. `line` and `column` are 0 where lines mean nothing."""
    match, issuer = one.match, issuer_of(issuers, one.match.type)
    return {
        "path": _text(one.path),
        "line": one.line,
        "column": one.column,
        "severity": one.severity.value,
        "type": match.type,
        "what": issuer.name,
        "provider": issuer.provider,
        "scope": issuer.scope.value,
        "name": match.name,
        "preview": match.preview,
        "fingerprint": match.fingerprint,
        "place": match.place,
        "encoding": list(match.encoding),
        "checksum_valid": match.checksum_valid,
        "public": match.public,
        "rotation": issuer.rotation,
        "commit": _commit(one.commit) if one.commit else None,
    }


def _commit(commit: Commit) -> dict[str, Any]:
    try:
        time = datetime.fromtimestamp(commit.time, UTC).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):  # a commit may claim any time
        time = None
    return {"id": commit.id, "author": _text(commit.author), "time": time}


def _text(path: str) -> str:
    """What is no UTF-8 spelled out: a lone surrogate is no JSON that every program reads."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
