"""How an access to a credential compares with what was known of it before the session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Access(StrEnum):
    """What is unusual about an access; the most telling, when several things are."""

    USUAL = "usual"
    """Nothing, or nothing is known to compare with."""
    NEW_READER = "new-reader"
    """This agent never took this credential before, though it worked while it was known."""
    SUDDEN_RISE = "sudden-rise"
    """This agent takes it far more often than in any session before."""
    ROTATED = "rotated"
    """Its owner said that it was replaced: this is the old value, still in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentHistory:
    """What one agent did with one credential before this session."""

    sessions: int = 0
    """Sessions of the agent since the credential is known."""
    taken_in: int = 0
    """Those in which it read, inherited or fetched it."""
    most: int = 0
    """How often it did so in the session in which it did so most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessHistory:
    """Of one credential, by what was recorded before this session."""

    rotated_ns: int | None = None
    """When its owner said that it was replaced."""
    agents: Mapping[str, AgentHistory] = field(default_factory=dict)
    """By agent id."""
