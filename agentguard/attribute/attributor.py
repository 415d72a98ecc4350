"""Gives each observation its owner: the session, the agent, and the chain of parents.

Sensors read a process's parents at the moment they see it. What one sensor read early (an exec, while it was
held) repairs what another could only read late (a request of an orphan whose parents have gone).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from agentguard.attribute.suspects import Suspects
from agentguard.model.attributed import Attributed
from agentguard.model.observation import ChangeObservation, ExecObservation, GapObservation, Observation
from agentguard.model.process import ATTRIBUTION_OF, Ancestor, Attribution, Confidence, ProcessSnapshot

MAX_PROCESSES = 65_536
"""Processes remembered; the oldest are forgotten first."""


class _Agent(Protocol):
    @property
    def id(self) -> str: ...


class Catalogue(Protocol):
    """What it asks of `attribute.agents`."""

    def identify(self, argv: Sequence[str], exe: str) -> _Agent | None: ...


class Attributor:
    """Of one session. For one thread: the pipeline's."""

    def __init__(self, session: str, agent: str, catalogue: Catalogue) -> None:
        self._session = session
        self._agent = agent
        self._catalogue = catalogue
        self._chains: dict[int, tuple[int, tuple[Ancestor, ...]]] = {}
        self._agents: dict[int, str] = {}
        self._suspects = Suspects()

    def attribute(self, observation: Observation) -> Attributed:
        """Never fails: what is not known is said to be `unknown`."""
        self._suspects.remember(observation)
        if isinstance(observation, ChangeObservation):
            observation = self._suspected(observation)
        process = observation.process
        if process is None:
            return self._attributed(observation, Attribution.UNKNOWN, self._agent, ())
        if isinstance(observation, ExecObservation):
            self._learn_agent(process)
        chain = self._chain(process)
        attribution = (
            Attribution.EXACT if isinstance(observation, GapObservation) else ATTRIBUTION_OF[observation.confidence]
        )
        return self._attributed(observation, attribution, self._nearest_agent(process.pid, chain), chain)

    def _attributed(
        self, observation: Observation, attribution: Attribution, agent: str, chain: tuple[Ancestor, ...]
    ) -> Attributed:
        return Attributed(
            observation=observation,
            session=self._session,
            agent=agent,
            attribution=attribution,
            ancestors=chain,
        )

    def _suspected(self, changed: ChangeObservation) -> ChangeObservation:
        """Nobody is held while a file is changed: who seems to have done it."""
        process = self._suspects.of(changed)
        return changed if process is None else replace(changed, process=process, confidence=Confidence.PROBABLE)

    def _chain(self, process: ProcessSnapshot) -> tuple[Ancestor, ...]:
        """The longest seen: adoption by an orphan's new parent only ever shortens it."""
        start_time, known = self._chains.get(process.pid, (-1, ()))
        if start_time != process.start_time or len(process.ancestors) >= len(known):
            if len(self._chains) >= MAX_PROCESSES:
                del self._chains[next(iter(self._chains))]
            self._chains[process.pid] = (process.start_time, process.ancestors)
            return process.ancestors
        return known

    def _learn_agent(self, process: ProcessSnapshot) -> None:
        agent = self._catalogue.identify(process.cmdline, process.exe)
        if agent is not None:
            self._agents[process.pid] = agent.id
        else:
            self._agents.pop(process.pid, None)

    def _nearest_agent(self, pid: int, chain: tuple[Ancestor, ...]) -> str:
        for candidate in (pid, *(ancestor.pid for ancestor in chain)):
            if candidate in self._agents:
                return self._agents[candidate]
        return self._agent
