"""What a session stands on: known before anything is loaded, so it imports little."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from agentguard.attribute.agents import AgentCatalogue
from agentguard.config import Home
from agentguard.launch.run_folder import RunFolder
from agentguard.model.secret import SecretValue
from agentguard.model.session import Coverage
from agentguard.show.notify.settings import Settings

Inbox = queue.SimpleQueue[Any]
"""Of observations; the pipeline adds marks of its own."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """A part of the network that nothing watches in this session."""

    detail: str
    remedy: str


class SessionNetwork(Protocol):
    """What watches the session's network."""

    def unseen(self) -> Unseen | None: ...

    def learn(self, values: Sequence[SecretValue]) -> None: ...
    def settle(self) -> None: ...
    def stop(self) -> None: ...
    def coverage(self) -> Coverage: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a session stands on."""

    session: str
    """Session uid."""
    argv: tuple[str, ...]
    """The agent's."""
    environ: Mapping[str, str]
    """The agent's, as far as it is known: it says where its user's home is."""
    cwd: Path
    """The agent's: the workspace."""
    home: Home
    policies: Path
    run_folder: RunFolder
    catalogue: AgentCatalogue
    agent: str
    """Agent id, or "unknown"."""
    agent_name: str
    """For people."""
    inbox: Inbox
    """The pipeline's; sensors may fill it before the pipeline is there."""
    network: SessionNetwork
    notify: Settings
    """Who is told of what needs a person, and how."""
    clock: Callable[[], int]
    """ns since the epoch."""
