"""One run of an agent, and what watched it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from agentguard.model.verdict import Outcome

DEMO_AGENT = "demo"
"""Agent id of a session of `agentguard demo`: its credentials are made up, and nothing of it can leave the machine."""
UNNAMED_AGENTS = frozenset({"unknown", DEMO_AGENT})
"""Agent ids that stand in no catalogue: such an agent is known by its place at the root, not by its command line."""


class SensorState(StrEnum):
    RUNNING = "running"
    UNAVAILABLE = "unavailable"
    """It could not start; `reason` says why."""
    STOPPED = "stopped"
    """It ended in the ordinary way, with the session."""
    FAILED = "failed"
    """It started and then died."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """One sensor in one session."""

    sensor: str
    """seccomp, fanotify, lease, proc-connector, watchdog, inotify, psutil, proxy, environment"""
    state: SensorState
    proved: bool = False
    """It saw its own decoy in this session."""
    proved_ns: int | None = None
    """When it first did, ns since the epoch."""
    events: int = 0
    drops: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A row of `sessions`."""

    uid: str
    agent: str
    """Agent id of policies/agents.yaml, "unknown", or `DEMO_AGENT`."""
    agent_name: str
    """Name for a person: "Claude Code"; the program's own name when unknown."""
    command: tuple[str, ...]
    """Redacted."""
    cwd: str
    root_pid: int
    start_ns: int
    end_ns: int | None = None
    exit_status: int | None = None
    """The agent's; 128 + N when signal N killed it. None while it runs, or when it is not known."""
    in_background: bool = False
    """The agent has ended and children of it still run."""
    end_reason: str = ""
    """exited, killed by SIGNAL, not started: WHY, guard-died, the watch was stopped; "" while it runs."""
    outcome: Outcome = Outcome.CLEAN
    outcome_reason: str = ""
    """One sentence."""
    counts: dict[str, int] = field(default_factory=dict)
    """reads, sends, flows, gaps, gaps_counted, alerts, blocked, commands, inherited, secrets (distinct fingerprints)"""
    coverage: tuple[Coverage, ...] = ()
    seal: str = ""
    """Hash of the last link of its chain, hex; "" while it runs."""
