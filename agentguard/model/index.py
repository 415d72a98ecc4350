"""The content index: what it found, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agentguard.model.secret import SecretFile


class ReadBefore(StrEnum):
    """Whether a file was read before it was known to hold a secret."""

    YES = "yes"
    """Somebody read it; who is not known."""
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretFind:
    """A file that is secret for what it holds."""

    file: SecretFile
    read: ReadBefore
    only_name: bool = True
    """It has no other name: once this one is deleted, it is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexProgress:
    """How far a walk, or the worker that walks, is."""

    files: int = 0
    """Text files by name alone are not told from others: this many may count, as far as the tree was listed."""
    done: int = 0
    """Of them, looked at."""
    listed: bool = False
    """The whole tree was listed."""
    dropped: int = 0
    """Files beyond the limits: no walk will reach them."""
    cut: int = 0
    """Files larger than what is looked through of each."""
    bytes: int = 0
    """Looked through."""
    unwatched: int = 0
    """Folders whose changes are not followed."""
    lost: int = 0
    """Times the system dropped changes; they were looked for then."""

    @property
    def complete(self) -> bool:
        """Every file was looked at."""
        return self.listed and not self.left

    @property
    def left(self) -> int:
        """Files not looked at."""
        return self.files - self.done + self.dropped
