"""The result of a scan as CSV: one row a place. New columns come last; what could not be scanned is told on stderr."""

from __future__ import annotations

from agentguard.model.at_rest import ScanResult, SecretAtRest
from agentguard.model.unicode import valid_text
from agentguard.show.issuers import Issuers, issuer_of
from agentguard.show.table import CSV_END, csv_line

_HEADER = (
    *("path", "line", "column", "severity", "type", "what", "name", "preview", "fingerprint"),
    *("commit", "author", "rotation"),
)


def result_csv(result: ScanResult, issuers: Issuers) -> str:
    """All records, each with its end."""
    return "".join(line + CSV_END for line in (csv_line(_HEADER), *(_record(one, issuers) for one in result.found)))


def _record(one: SecretAtRest, issuers: Issuers) -> str:
    match, issuer, commit = one.match, issuer_of(issuers, one.match.type), one.commit
    return csv_line(
        (
            *(valid_text(one.path), one.line or "", one.column or "", one.severity.value, match.type, issuer.name),
            *(valid_text(match.name), match.preview, match.fingerprint),
            *((commit.id, valid_text(commit.author)) if commit else ("", "")),
            issuer.page or issuer.rotation,
        )
    )
