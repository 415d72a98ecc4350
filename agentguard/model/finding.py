"""What the detect stage made of an observation: clean of values, ready to be judged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agentguard.model.observation import GapType
from agentguard.model.process import Attribution, Confidence, Process
from agentguard.model.secret import SecretMatch


class Kind(StrEnum):
    """`kind` of an event (DESIGN section 8)."""

    FILE = "file"
    COMMAND = "command"
    ENVIRONMENT = "environment"
    HTTP = "http"
    NETWORK = "network"
    GAP = "gap"
    FINDING = "finding"
    SESSION = "session"


class Activity(StrEnum):
    """`activity` of an event: what was done."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    EXEC = "exec"
    INHERIT = "inherit"
    SEND = "send"
    CONNECT = "connect"
    GAP = "gap"
    REPEAT = "repeat"
    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class Flow:
    """The same fingerprint read, then sent, in one session."""

    read: str
    """uid of the event that read it (or inherited it, or fetched it)."""
    seconds: float
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What was not seen, and whether it counts."""

    type: GapType
    sensor: str
    detail: str
    remedy: str = ""
    count: int = 1
    covered_by: str = ""
    secret_within_reach: bool = True
    """The process that owns the gap (or an ancestor) had read or inherited a secret by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One event in the making."""

    uid: str
    time_ns: int
    session: str
    agent: str
    """Agent id of policies/agents.yaml, or "unknown"."""
    kind: Kind
    activity: Activity
    subject: str
    """One redacted line for a person: `.env`, `POST https://host/path`, `vault kv get secret/shop`."""
    sensor: str
    process: Process | None
    attribution: Attribution
    confidence: Confidence
    path: str = ""
    host: str = ""
    port: int = 0
    asked_host: str = ""
    """The name in the request's Host, when `host` did not prove it (domain fronting); "" when it did."""
    method: str = ""
    protocol: str = ""
    size: int = 0
    """Bytes of a send's body, as far as it had come when this was told; 0 when there was none, or it is not known."""
    matches: tuple[SecretMatch, ...] = ()
    flow: Flow | None = None
    file_kind: str = ""
    """Pattern id of policies/files.yaml, for kind FILE."""
    expected_readers: tuple[str, ...] = ()
    file_agent: str = ""
    command_rule: str = ""
    """Id of policies/commands.yaml, for kind COMMAND."""
    gap: Gap | None = None
    enforced_rule: str = ""
    """The rule a sensor has already enforced (blocked); "" when it passed."""
    count: int = 1
    """How many sends this tells of; more than 1 only for activity REPEAT."""
    repeats: str = ""
    """uid of the event that told the first of them, for activity REPEAT."""
