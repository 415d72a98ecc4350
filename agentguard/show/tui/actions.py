"""What the dashboard can do besides looking: handed in by the command that opens it, for the dashboard only reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agentguard.model.event import Event


@dataclass(frozen=True, slots=True)
class ProposedRule:
    """A rule of the user's policy, shown before it is written."""

    name: str
    """FILE:ID, as later verdicts will name it."""
    path: Path
    """The file it goes to."""
    text: str
    """As it will stand there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """Callables; each may raise `AgentGuardError`, whose text a screen shows. They run in a thread of their own."""

    mark_seen: Callable[[Event], None]
    """A person has looked at this event: no screen asks for it again."""
    mark_rotated: Callable[[str], None]
    """The credential with this fingerprint has been replaced at its issuer."""
    propose: Callable[[Event], ProposedRule]
    """The rule that would expect such an event. Writes nothing."""
    expect: Callable[[ProposedRule], None]
    """Write that rule."""
    write_report: Callable[[str], Path]
    """Of the session with this uid. Returns where the report is."""
    copy: Callable[[str], bool]
    """Into the desktop's clipboard; False where there is none, and the terminal's own has to do."""
