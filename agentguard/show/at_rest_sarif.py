"""The result of a scan as SARIF."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from agentguard.model.at_rest import ScanResult, SecretAtRest
from agentguard.show.issuers import Issuers, issuer_of
from agentguard.show.sarif import SarifResult, SarifRule, sarif

_HELP = (
    "Replace it where it was issued, then take it out of the file; a secrets manager or the environment can hold it."
)


def result_sarif(result: ScanResult, issuers: Issuers) -> str:
    """One result for each place."""
    kinds = dict.fromkeys(one.match.type for one in result.found)
    rules = [_rule(kind, issuers) for kind in kinds]
    results = [
        _result(one, issuers, identity) for one, identity in zip(result.found, _identities(result.found), strict=True)
    ]
    failures = [(one.path, one.reason) for one in result.unread]
    return sarif(rules, results, failures, found_by="scan")


def _rule(kind: str, issuers: Issuers) -> SarifRule:
    issuer = issuer_of(issuers, kind)
    how = f"{_HELP} {issuer.name}: {issuer.rotation}" if issuer.rotation else _HELP
    return SarifRule(id=kind, title=issuer.name, severity=issuer.severity, help=how, page=issuer.page)


def _result(one: SecretAtRest, issuers: Issuers, identity: str) -> SarifResult:
    name = f" ({one.match.name})" if one.match.name else ""
    commit = f", brought in by commit {one.commit.id}" if one.commit else ""
    return SarifResult(
        rule=one.match.type,
        severity=one.severity,
        message=f"{issuer_of(issuers, one.match.type).name} {one.match.preview}{name}{commit}",
        path=one.path,
        line=one.line,
        fingerprint=identity,
        properties={"fingerprint": one.match.fingerprint, "encoding": list(one.match.encoding)},
    )


def _identities(found: Sequence[SecretAtRest]) -> list[str]:
    """Of path, type and preview, and of a number where several look alike: the same on every machine, while the keyed
    fingerprint is that of one home folder. No line, no commit: they change when the credential does not."""
    seen: Counter[tuple[str, ...]] = Counter()
    identities = []
    for one in found:
        parts = (one.path, one.match.type, one.match.preview, one.match.name)
        text = "\0".join((*parts, str(seen[parts])))
        seen[parts] += 1
        identities.append(hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32])
    return identities
