"""Whether a credential must be replaced, how urgently, and why: for `keys`, reports and dashboard alike. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from agentguard.model.credential import CredentialPlace, KnownCredential
from agentguard.model.secret import KeyScope
from agentguard.model.verdict import Outcome
from agentguard.show.issuers import Issuer, Issuers, issuer_of


class Cause(StrEnum):
    """Why it must be replaced. The most urgent first."""

    LEAKED = "leaked"
    """Someone has it who is neither its issuer nor a model provider."""
    STILL_USED = "still-used"
    """It was marked as rotated, and its old value was used, or still lies somewhere, after that."""
    EXPOSED = "exposed"
    """A model provider has it."""
    COMMITTED = "committed"
    """Whoever has the repository has it."""
    MISPLACED = "misplaced"
    """It stands in a file that is no place for keys: source code, a page of notes."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a cause asks for. `{name}` is the credential."""

    when: str
    """now, soon, in time"""
    do: str
    """The whole of what to do."""
    short: str
    """The same where there is room for a line."""
    several: str
    """That, of more than one."""


DEMANDS = {
    Cause.LEAKED: Demand(
        "now",
        "Revoke {name} now, and put a new one in its place.",
        "Revoke {name} at its issuer now: it is public.",
        "Revoke {name} at their issuers now: they are public.",
    ),
    Cause.STILL_USED: Demand(
        "now",
        "Put the new {name} wherever the old one is still used, and see that the old one is revoked.",
        "The old value of {name} is still in use: see that it is revoked.",
        "The old values of {name} are still in use: see that they are revoked.",
    ),
    Cause.EXPOSED: Demand(
        "soon",
        "Rotate {name} soon, and put a new one in its place.",
        "Rotate {name}: it is in a prompt, and may be kept.",
        "Rotate {name}: they are in a prompt, and may be kept.",
    ),
    Cause.COMMITTED: Demand(
        "soon",
        "Rotate {name} soon: taking it out of the repository does not take it back.",
        "Rotate {name}: it is in the history of a repository.",
        "Rotate {name}: they are in the history of a repository.",
    ),
    Cause.MISPLACED: Demand(
        "in time",
        "Move {name} out of the file it stands in, then rotate it.",
        "Move {name} out of the file it stands in, then rotate it.",
        "Move {name} out of the files they stand in, then rotate them.",
    ),
}

_CAUSE_RANK = {cause: rank for rank, cause in enumerate(Cause)}
_SCOPE_RANK = {
    scope: rank
    for rank, scope in enumerate(
        (KeyScope.ADMIN, KeyScope.USER, KeyScope.UNKNOWN, KeyScope.SERVICE, KeyScope.PROJECT, KeyScope.PUBLIC)
    )
}
"""What opens most first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How it stands with a credential, as far as a cause may lie in it."""

    outcome: Outcome = Outcome.CLEAN
    """The worst that a send of it came to."""
    public: bool = False
    """Publishable by design."""
    rotated_ns: int | None = None
    last_used_ns: int = 0
    """When it was last used by anyone, or seen lying in a file; ns since the epoch."""
    committed: bool = False
    misplaced: bool = False


def cause_of(standing: Standing) -> Cause | None:
    """The most urgent cause; None when there is none to replace it."""
    if standing.public:
        return None
    if standing.rotated_ns is not None:
        return Cause.STILL_USED if standing.last_used_ns > standing.rotated_ns else None
    if standing.outcome in (Outcome.LEAKED, Outcome.EXPOSED):
        return Cause(standing.outcome.value)
    if standing.committed:
        return Cause.COMMITTED
    return Cause.MISPLACED if standing.misplaced else None


@dataclass(frozen=True, slots=True)
class Task:
    """A credential on the worklist."""

    credential: KnownCredential
    cause: Cause
    issuer: Issuer


KeepsKeys = Callable[[str], bool]
"""Whether the file at an absolute path is a place for keys (a `.env`, `~/.aws/credentials`)."""


def standing_of(credential: KnownCredential, keeps_keys: KeepsKeys) -> Standing:
    """Over all sessions, scans and checks."""
    lying = lies_in(credential)
    seen = [use.last_ns for use in credential.uses] + [place.last_seen_ns for place in lying]
    return Standing(
        outcome=worst_outcome(credential),
        public=credential.public,
        rotated_ns=credential.rotated_ns,
        last_used_ns=max(seen, default=0),
        committed=any(place.commit for place in credential.places),
        misplaced=any(not keeps_keys(place.path) for place in lying),
    )


def worst_outcome(credential: KnownCredential) -> Outcome:
    """Of all its sends that went through, before and after it was rotated."""
    outcomes = [use.outcome for use in credential.uses if not use.blocked]
    return max(outcomes, key=lambda outcome: outcome.rank, default=Outcome.CLEAN)


def lies_in(credential: KnownCredential) -> list[CredentialPlace]:
    """The files it was last seen in, each once: by whoever looked last. A place that is gone is none."""
    latest: dict[str, CredentialPlace] = {}
    for place in credential.places:
        if not place.commit and (place.path not in latest or _looked(latest[place.path]) < _looked(place)):
            latest[place.path] = place
    return [place for place in latest.values() if place.gone_ns is None]


def _looked(place: CredentialPlace) -> int:
    return max(place.last_seen_ns, place.gone_ns or 0)


def worklist(credentials: Iterable[KnownCredential], issuers: Issuers, keeps_keys: KeepsKeys) -> list[Task]:
    """What must be replaced, the most urgent first: by cause, then by what the key opens, then the latest."""
    tasks = []
    for credential in credentials:
        cause = cause_of(standing_of(credential, keeps_keys))
        if cause is not None:
            tasks.append(Task(credential, cause, issuer_of(issuers, credential.type)))
    return sorted(tasks, key=lambda task: urgency(task.cause, task.issuer, task.credential.last_seen_ns))


def urgency(cause: Cause, issuer: Issuer, last_ns: int) -> tuple[int, ...]:
    """What to sort by, the most urgent first."""
    return _CAUSE_RANK[cause], -issuer.severity.rank, _SCOPE_RANK[issuer.scope], -last_ns
