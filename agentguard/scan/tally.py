"""What has been found so far, by one process: it is handed over whole, and added up."""

from __future__ import annotations

from dataclasses import dataclass, field

from agentguard.model.at_rest import SecretAtRest, Unread


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A credential as a baseline knows it: without its line, its commit or a time."""

    path: str
    type: str
    tag: str
    """Keyed hash of the value, hex; see `agentguard.scan.baseline`."""


@dataclass(slots=True)
class Tally:
    """Counts as in `agentguard.model.at_rest.ScanResult`."""

    found: list[SecretAtRest] = field(default_factory=list)
    passed: list[SecretAtRest] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    entries: set[Entry] = field(default_factory=set)
    """Of all that was found, when a baseline is to be written."""
    files: int = 0
    bytes: int = 0
    commits: int = 0
    allowed: int = 0
    known: int = 0

    def not_read(self, path: str, reason: str) -> None:
        self.unread.append(Unread(path=path, reason=reason))

    def add(self, other: Tally) -> None:
        """Take in what another process found."""
        self.found += other.found
        self.passed += other.passed
        self.unread += other.unread
        self.entries |= other.entries
        self.files += other.files
        self.bytes += other.bytes
        self.commits += other.commits
        self.allowed += other.allowed
        self.known += other.known
