"""An observation with its owner: what the attribute stage hands to detect."""

from __future__ import annotations

from dataclasses import dataclass

from agentguard.model.observation import Observation
from agentguard.model.process import Ancestor, Attribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributed:
    """Who did it, as well as it can be known."""

    observation: Observation
    session: str
    """Session uid."""
    agent: str
    """Agent id of policies/agents.yaml, or "unknown"."""
    attribution: Attribution
    ancestors: tuple[Ancestor, ...] = ()
    """Nearest parent first, as far as the session's root; repaired from exec history where the kernel forgot."""
