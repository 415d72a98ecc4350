"""A credential that lies somewhere: in a file, in what is staged, in a commit. Never the value."""

from __future__ import annotations

from dataclasses import dataclass

from agentguard.model.secret import SecretMatch
from agentguard.model.verdict import Severity


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
    """Relative to what was scanned, `/` between its parts; a member of an archive is `a.zip!inner/name`. Not escaped:
    whoever shows it must (`agentguard.show.text.safe`)."""
    line: int
    """Of its first character, from 1; 0 where lines mean nothing (what was decoded from a binary)."""
    column: int
    """In bytes, from 1; 0 where lines mean nothing."""
    match: SecretMatch
    severity: Severity
    commit: Commit | None = None
    """None: it lies in a file, or is staged."""
