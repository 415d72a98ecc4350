"""What is started first, because the agent waits for it: the proxy child takes longest to be ready.

It imports little; the rest of the pipeline is imported while the child starts.
"""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass
from pathlib import Path

from agentguard.attribute.agents import load_agents
from agentguard.config import Home, open_home
from agentguard.judge.gateways import pointed_at
from agentguard.launch.ground import Ground, Inbox
from agentguard.launch.network import Network, NetworkSetup
from agentguard.launch.request import RunRequest
from agentguard.launch.run_folder import make_run_folder
from agentguard.model.session import DEMO_AGENT
from agentguard.paths import policies_dir
from agentguard.show.notify.settings import SILENT, Settings, settings_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening(Ground):
    """A guarded session in the making."""

    request: RunRequest
    network: Network


def begin(request: RunRequest) -> Opening:
    """Raises AgentGuardError when the home folder, its `notify.yaml` or the catalogue of agents cannot be used."""
    home = open_home(request.home)
    notify = _notify(request, home)
    policies = policies_dir()
    run_folder = make_run_folder(request.session)
    catalogue = load_agents(policies / "agents.yaml")
    agent = catalogue.identify(request.argv, request.program)
    agent_id = DEMO_AGENT if request.demo else agent.id if agent else "unknown"
    inbox: Inbox = queue.SimpleQueue()
    network = Network(
        NetworkSetup(
            request=request,
            home=home,
            policies=policies,
            run_folder=run_folder,
            agent=agent_id,
            pointed_at=pointed_at(request.environ, catalogue.gateway_variables),
            emit=inbox.put,
            clock=time.time_ns,
        )
    )
    return Opening(
        request=request,
        session=request.session,
        argv=request.argv,
        environ=request.environ,
        cwd=request.cwd,
        home=home,
        policies=policies,
        run_folder=run_folder,
        catalogue=catalogue,
        agent=agent_id,
        agent_name=agent.name if agent else Path(request.program).name,
        inbox=inbox,
        network=network,
        notify=notify,
        clock=time.time_ns,
    )


def _notify(request: RunRequest, home: Home) -> Settings:
    """`--quiet` is about all that is said by itself; who names a channel wants it all the same."""
    return SILENT if request.quiet and request.notify is None else settings_of(home.notify, request.notify)
