"""What a sensor saw. Raw: an observation may hold a secret (a command line, an environment) and is never written.

A sensor hands one of these to the pipeline; every field that may be sensitive is kept out of `repr`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from agentguard.model.process import Confidence, ProcessSnapshot
from agentguard.model.secret import SecretFile, SecretMatch


class GapType(StrEnum):
    """Ways of not seeing. Each is counted, shown, and judged."""

    SENSOR_UNAVAILABLE = "sensor-unavailable"
    SENSOR_STOPPED = "sensor-stopped"
    EVENTS_LOST = "events-lost"
    UNREADABLE_PATH = "unreadable-path"
    IO_URING = "io-uring"
    UNATTRIBUTED_OPEN = "unattributed-open"
    PROXY_BYPASS = "proxy-bypass"
    PROXY_RESTARTED = "proxy-restarted"
    TLS_REFUSED = "tls-refused"
    OPAQUE_BODY = "opaque-body"
    SCAN_FAILED = "scan-failed"
    REFUSED_CLIENT = "refused-client"
    GUARD_DIED = "guard-died"
    OUTSIDE_TREE = "outside-tree"
    WATCH_LIMIT = "watch-limit"
    SENSOR_UNPROVED = "sensor-unproved"
    NOT_INDEXED = "not-indexed"
    NETWORK_UNSEEN = "network-unseen"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileObservation:
    """A process opened a secret file for reading."""

    time_ns: int
    """Wall clock, ns since the epoch."""
    sensor: str
    process: ProcessSnapshot | None
    confidence: Confidence
    path: str
    """Absolute, resolved, in the supervisor's view; undecodable bytes as surrogate escapes."""
    opened_as: str = ""
    """The name the process used."""
    file: SecretFile | None = None
    """Its entry in the table; None when only its name matched (it did not exist yet)."""
    kind: str = ""
    """Pattern id of policies/files.yaml."""
    held_as: str = ""
    """Where `path` does not lead to the file (another mount namespace; renamed): one that does, while it is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeObservation:
    """A file of the guard's own was changed or removed. Seen afterwards, on the file itself."""

    time_ns: int
    """Of the change; of its discovery, where the file is gone."""
    sensor: str
    path: str
    kind: str
    """guard-key, guard-file"""
    removed: bool
    process: ProcessSnapshot | None = None
    confidence: Confidence = Confidence.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecObservation:
    """A process is about to become another program. Seen before the exec succeeds; failed PATH attempts are dropped."""

    time_ns: int
    sensor: str
    process: ProcessSnapshot
    """`exe` and `cmdline` are of the NEW program."""
    confidence: Confidence
    environ: tuple[tuple[str, str], ...] | None = field(default=None, repr=False)
    """The new environment; None when it is the same as one already seen in this session."""
    privileged: bool = False
    """Its file would give it other ids or capabilities (set-uid, set-gid, file capabilities), and the sensor's filter
    keeps them from it. False where no filter does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpObservation:
    """A request, a WebSocket message or raw TCP bytes went through the proxy. Already scanned: it holds no value."""

    time_ns: int
    sensor: str
    process: ProcessSnapshot | None
    confidence: Confidence
    protocol: str
    """http/1.1, h2, websocket, tcp"""
    method: str
    """GET, POST, ...; SEND for websocket and tcp."""
    scheme: str
    host: str
    """The verified name: SNI or Host, lower case, no port."""
    port: int
    url: str
    """Redacted; without userinfo; query values that matched are previews."""
    matches: tuple[SecretMatch, ...]
    body_size: int = 0
    """Bytes scanned."""
    user_agent: str = ""
    enforced_rule: str = ""
    """The policy rule (FILE:ID) that had the proxy block it; "" when it passed."""
    connect_host: str = ""
    """The name that CONNECT asked for, when `host` is another one and its certificate does not cover it."""
    asked_host: str = ""
    """The name in Host or :authority, likewise: whoever answers for it behind `host` gets the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectObservation:
    """A process connected or sent without the proxy."""

    time_ns: int
    sensor: str
    process: ProcessSnapshot
    confidence: Confidence
    address: str
    port: int
    transport: str
    """tcp, udp"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupObservation:
    """A process asked the DNS for names. Raw: a name may hold a secret."""

    time_ns: int
    sensor: str
    process: ProcessSnapshot
    confidence: Confidence
    address: str
    """Of the resolver."""
    port: int
    message: bytes = field(repr=False)
    """As it was sent, RFC 1035; cut where it is very long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GapObservation:
    """Something could not be seen."""

    time_ns: int
    sensor: str
    type: GapType
    detail: str
    """In plain words, no secret in it."""
    remedy: str = ""
    """What would close it, in plain words."""
    count: int = 1
    process: ProcessSnapshot | None = None
    covered_by: str = ""
    """Another proved sensor that saw what this one could not; "" when none."""


Observation = (
    FileObservation
    | ChangeObservation
    | ExecObservation
    | HttpObservation
    | ConnectObservation
    | LookupObservation
    | GapObservation
)
