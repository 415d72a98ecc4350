"""A credential as it is known over time: where it lives, who used it, where it went. Never the value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agentguard.model.finding import Activity
from agentguard.model.verdict import Outcome


class FoundBy(StrEnum):
    """Who saw that a credential lies somewhere."""

    SESSION = "session"
    """An agent opened the file, or the guard knew its values."""
    SCAN = "scan"
    CHECK = "check"


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialPlace:
    """A file, or a file of a commit, that holds it."""

    path: str
    """Absolute. Not escaped: whoever shows it must. A member of an archive is `/x/a.zip!inner/name`."""
    found_by: FoundBy
    line: int = 0
    """Of the first one there, from 1; 0 where it is not known or lines mean nothing."""
    commit: str = ""
    """The commit that brought it in, hex; "" for a file."""
    commit_ns: int = 0
    """Author's date, ns since the epoch; 0 for a file."""
    first_seen_ns: int
    last_seen_ns: int
    gone_ns: int | None = None
    """When whoever found it looked again and it was not there any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialUse:
    """What one agent did with it, of one kind: counted, not listed."""

    agent: str
    """Agent id, or "unknown"."""
    way: Activity
    """read, inherit, exec (a command that carries or fetches it), send, ..."""
    host: str = ""
    """Receiver of a send; "" for the rest."""
    outcome: Outcome = Outcome.CLEAN
    """What a send did to this credential: `exposed` and `leaked` stand for this value, not for the whole request."""
    blocked: bool = False
    """It was refused before it left."""
    count: int
    """Of what was recorded: what the policy ignores is recorded once a session."""
    sessions: int
    """In how many."""
    first_ns: int
    last_ns: int
    process: str = ""
    """Name of the process that did it last in each of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCredential:
    """One credential by its fingerprint, and all that is known of it."""

    fingerprint: str
    type: str
    """Credential type id of policies/secrets.yaml, or `KNOWN_VALUE`."""
    name: str
    """Variable or field it was found under; "" when none."""
    preview: str
    public: bool
    issuer_hosts: tuple[str, ...]
    first_seen_ns: int
    """By a session, a scan or a check of this home folder."""
    last_seen_ns: int
    rotated_ns: int | None = None
    """When its owner said that it was replaced; None when not."""
    places: tuple[CredentialPlace, ...] = ()
    """By path, then commit; a path that several found is named once for each."""
    uses: tuple[CredentialUse, ...] = ()
    """Oldest first."""
