"""Keys that have been in use for long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from agentguard.model.posture import Check, Weakness
from agentguard.model.verdict import Severity
from agentguard.posture.evidence import Credential, Evidence, credentials
from agentguard.posture.words import counted, label, rotate, where

_DAY_NS = 86_400 * 10**9
_VERY_OLD_DAYS = 365
_WHY = "The longer a key lives, the more logs, backups, laptops and agents have seen it, and nobody remembers them all."


def check(evidence: Evidence) -> Iterator[Weakness]:
    if not evidence.older_than_days:
        return
    committed = _committed(evidence)
    for one in credentials(kept for kept in evidence.kept if kept.in_use):
        first = _first_ns(evidence, one, committed)
        days = (evidence.now_ns - first) // _DAY_NS
        if days > evidence.older_than_days:
            yield _weakness(evidence, one, first, days)


def _committed(evidence: Evidence) -> dict[str, int]:
    """Fingerprint → when the first commit with it was made, ns since the epoch."""
    found: dict[str, int] = {}
    for one in evidence.past:
        if one.commit and one.commit.time > 0:
            time_ns = int(one.commit.time * 1e9)
            found[one.match.fingerprint] = min(time_ns, found.get(one.match.fingerprint, time_ns))
    return found


def _first_ns(evidence: Evidence, one: Credential, committed: dict[str, int]) -> int:
    """The earliest sign of it: a guard met it, a commit brought it, or its file has not changed since."""
    fingerprint = one.match.fingerprint
    signs = [int(kept.file.modified * 1e9) for kept in one.places if kept.file.modified > 0]
    signs += [sign for sign in (evidence.first_seen.get(fingerprint, 0), committed.get(fingerprint, 0)) if sign]
    return min(signs, default=evidence.now_ns)


def _weakness(evidence: Evidence, one: Credential, first_ns: int, days: int) -> Weakness:
    day = datetime.fromtimestamp(first_ns / 1e9, UTC).strftime("%Y-%m-%d")
    return Weakness(
        check=Check.OLD,
        severity=Severity.MEDIUM if days > _VERY_OLD_DAYS else Severity.LOW,
        title=f"{label(evidence, one.match)} in {where(one.paths)} is at least {counted(days, 'day')} old",
        why=f"It was there on {day}. {_WHY}",
        fixes=tuple(rotate(evidence, [one.match])),
        places=tuple(kept.place for kept in one.places),
        type=one.match.type,
        name=one.match.name,
        preview=one.match.preview,
        fingerprint=one.match.fingerprint,
    )
