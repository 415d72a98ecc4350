"""A credential that lies somewhere: in a file, in what is staged, in a commit. Never the value."""

from __future__ import annotations

from dataclasses import dataclass

from agentguard.model.secret import SecretMatch
from agentguard.model.verdict import Severity

MESSAGE = "(commit message)"
"""`SecretAtRest.path` of what stands in one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """The commit that brought it in."""

    id: str
    """Full object name, hex."""
    author: str = ""
    time: float = 0.0
    """Author's date, s since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretAtRest:
    """One place of one credential."""

    path: str
    """As one would type it where the scan was started (`src/x.py`); of what is staged or committed, from the top of the
    repository. A member of an archive is `a.zip!inner/name`, what is no file stands in parentheses. Not escaped:
    whoever shows it must (`agentguard.show.text.safe`)."""
    line: int
    """Of its first character, from 1; 0 where lines mean nothing (what was decoded from a binary)."""
    column: int
    """In bytes, from 1; 0 where lines mean nothing."""
    match: SecretMatch
    severity: Severity
    commit: Commit | None = None
    """None: it lies in a file, or is staged."""
    allowed: bool = False
    """A comment beside it says that it is none, or may stand there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Something that was to be scanned and could not be: a scan that has one is no clean one."""

    path: str
    """As in `SecretAtRest`."""
    reason: str
    """In words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """What a scan has found, and how much it looked at."""

    found: tuple[SecretAtRest, ...] = ()
    unread: tuple[Unread, ...] = ()
    notes: tuple[str, ...] = ()
    """What the user should know of its limits, a sentence each; none of them makes it an incomplete one."""
    files: int = 0
    """Files looked at; of a history, changed files of commits."""
    bytes: int = 0
    """Bytes looked at, those of archives unpacked."""
    commits: int = 0
    """Of a history."""
    passed: tuple[SecretAtRest, ...] = ()
    """Credentials that were passed over: a comment on their line allows them, or the baseline knows them."""
    allowed: int = 0
    """How many of those a comment allows."""
    known: int = 0
    """How many of those the baseline knows."""
    below: int = 0
    """Credentials of less severity than was asked for."""
    seconds: float = 0.0
