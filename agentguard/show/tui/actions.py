"""What the dashboard can do and know besides the record: handed in by the command that opens it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentguard.model.credential import KnownCredential
    from agentguard.model.event import Event
    from agentguard.show.keys_text import Page as KeysPage
    from agentguard.show.policy_view import Explained, PolicyView, ProposedRule

Undo = Callable[[], None]
"""Takes back what was just done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """Callables; each may raise `AgentGuardError`, whose text a screen shows. They run in a thread of their own."""

    mark_seen: Callable[[Event, bool], Undo]
    """A person has looked at this event, or has not after all: no screen asks for it again."""
    mark_rotated: Callable[[str, bool], Undo]
    """The credential with this fingerprint has been replaced at its issuer, or has not after all."""
    propose: Callable[[Event], ProposedRule]
    """The rule that would expect such an event. Writes nothing."""
    expect: Callable[[Event, ProposedRule], Undo]
    """Write that rule, and mark the event."""
    policy: Callable[[str], PolicyView]
    """In force for a session that works in this folder."""
    explain: Callable[[Event], Explained]
    """Why its verdict is what it is."""
    keys: Callable[[list[KnownCredential]], KeysPage]
    """The inventory with what must be rotated."""
    write_report: Callable[[str], Path]
    """Of the session with this uid. Returns where the report is."""
    open_file: Callable[[Path], bool]
    """With the system's own opener; False where there is none, or nobody would see it (over SSH)."""
    copy: Callable[[str], bool]
    """Into the desktop's clipboard; False where there is none, and the terminal's own has to do."""
