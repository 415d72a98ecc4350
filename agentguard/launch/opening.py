"""What is started first, because the agent waits for it: the proxy child takes longest to be ready.

It imports little; the rest of the pipeline is imported while the child starts.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentguard.attribute.agents import AgentCatalogue, load_agents
from agentguard.config import Home, open_home
from agentguard.launch.network import Network, NetworkSetup
from agentguard.launch.request import RunRequest
from agentguard.launch.run_folder import RunFolder, make_run_folder
from agentguard.paths import policies_dir

Inbox = queue.SimpleQueue[Any]
"""Of observations; the pipeline adds marks of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A session in the making."""

    request: RunRequest
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
    network: Network
    clock: Callable[[], int]


def begin(request: RunRequest) -> Opening:
    """Raises AgentGuardError when the home folder or the catalogue of agents cannot be used."""
    home = open_home(request.home)
    policies = policies_dir()
    run_folder = make_run_folder(request.session)
    catalogue = load_agents(policies / "agents.yaml")
    agent = catalogue.identify(request.argv, request.program)
    agent_id = agent.id if agent else "unknown"
    inbox: Inbox = queue.SimpleQueue()
    network = Network(
        NetworkSetup(
            request=request,
            home=home,
            policies=policies,
            run_folder=run_folder,
            agent=agent_id,
            emit=inbox.put,
            clock=time.time_ns,
        )
    )
    return Opening(
        request=request,
        home=home,
        policies=policies,
        run_folder=run_folder,
        catalogue=catalogue,
        agent=agent_id,
        agent_name=agent.name if agent else Path(request.program).name,
        inbox=inbox,
        network=network,
        clock=time.time_ns,
    )
