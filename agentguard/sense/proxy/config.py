"""What the proxy child is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from agentguard.model.secret import SecretValue


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyConfig:
    """One session's proxy. Crosses the socketpair; never a command line, an environment or a file."""

    confdir: Path
    """The session's own folder (0700) for what mitmproxy wants on disk; no key is ever written into it."""
    roots: tuple[int, ...]
    """Processes whose descendants (and they themselves) are the session; orphans must be reparented to one of them."""
    uid: int
    """The only user whose connections are taken."""
    fingerprint_key: bytes = field(repr=False)
    policies: Path
    """The folder of secrets.yaml, agents.yaml and the default policy."""
    home: Path | None = None
    """The home folder, for the user's own policy."""
    workspace: Path | None = None
    """Where the agent works, for the repository's policy."""
    base_policy: Path | None = None
    """The shipped policy to build on; None: the default."""
    exclude: tuple[int, ...] = ()
    """Descendants of the roots that are AgentGuard's own; the proxy child excludes itself."""
    session: str = ""
    """Session uid."""
    agent: str = "unknown"
    """Agent id of policies/agents.yaml."""
    pointed_at: tuple[str, ...] = ()
    """Hosts that the session's environment named as receivers of prompts when it started."""
    rotated: tuple[str, ...] = ()
    """Fingerprints of credentials that their owner had replaced when the session started."""
    upstream_ca: str | None = None
    """A further PEM file of roots to verify servers with, beside the system's and the user's."""
    redirects: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Demo and tests: host → loopback address. When there are any, every other host that is not loopback is refused."""
    capture: bool = False
    """Also listen for connections that the supervisor takes here."""
    listen_port: int = 0
    """0: any free port."""
    upstream_proxy: str = field(default="", repr=False)
    """URL of the user's own proxy (http or https); it may hold a password."""
    cache: Path | None = None
    """Folder of compiled rules."""
    log: Path | None = None
    """File for the child's own troubles (error type and place only); None: nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildStart:
    """The first message over the socketpair."""

    config: ProxyConfig
    ca_certificate: bytes
    """PEM."""
    ca_key: bytes = field(repr=False)
    """PEM."""
    listen_fd: int
    """The listening socket, inherited: it outlives a child, so a restart keeps the port and the queue of clients."""
    capture_fds: tuple[int, ...] = ()
    """The same for captured connections: IPv4, and IPv6 where there is such a loopback."""
    values: tuple[SecretValue, ...] = field(default=(), repr=False)
    """Values learnt so far."""
