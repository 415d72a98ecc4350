"""What a judge must know of the session beside the finding itself. Made once a session; nothing in it is secret."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from agentguard.config import folder_of_user
from agentguard.judge.gateways import names_gateway
from agentguard.judge.globs import GlobSet, glob_set

Identify = Callable[[Sequence[str], str], object | None]
"""(argv, exe) → the agent it is, None when it is none: `AgentCatalogue.identify`."""
_Owner = tuple[str, GlobSet]
"""Agent id, hosts its login is meant for."""


@dataclass(frozen=True, slots=True)
class Login:
    """An agent's own login: the files that hold it and the hosts it is meant for."""

    agent: str
    files: tuple[str, ...]
    """Path globs; a leading `~` is the user's home."""
    hosts: tuple[str, ...]
    """Host globs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The session, as far as rules may ask about it."""

    session_agent: str = "unknown"
    """Agent id of policies/agents.yaml, or "unknown"."""
    model_hosts: tuple[str, ...] = ()
    """Host globs that receive prompts."""
    gateways: tuple[str, ...] = ()
    """Further ones that the policy names, as globs of HOST or HOST:PORT."""
    pointed_at: tuple[str, ...] = ()
    """Further ones that the session's environment named at its start: they receive prompts, and nobody vouched."""
    root_pid: int = 0
    """The agent's own process; 0 when unknown."""
    identify: Identify | None = None
    logins: tuple[Login, ...] = ()
    secret_hosts: frozenset[str] = frozenset()
    """Hosts and addresses that a secret of this session names as its own (a database URL's host)."""
    remote_hosts: frozenset[str] = frozenset()
    """Hosts and addresses of the repository's own remotes."""
    home: str = field(default_factory=lambda: str(folder_of_user()))
    """What `~` in the globs of `logins` stands for."""
    can_hold: bool = False
    """The caller still holds the subject (a request not yet sent) and will refuse it when told `blocked`."""
    models: GlobSet = field(init=False, repr=False, compare=False)
    _named: GlobSet = field(init=False, repr=False, compare=False)
    _pointed_at: GlobSet = field(init=False, repr=False, compare=False)
    _files: dict[str, _Owner] = field(init=False, repr=False, compare=False)
    _globs: tuple[tuple[GlobSet, _Owner], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        files: dict[str, _Owner] = {}
        globs: list[tuple[GlobSet, _Owner]] = []
        for login in self.logins:
            owner = (login.agent, glob_set(login.hosts))
            compiled = glob_set(self._expand(path) for path in login.files)
            files |= dict.fromkeys(compiled.exact, owner)
            if compiled.pattern is not None:
                globs.append((compiled, owner))
        object.__setattr__(self, "models", glob_set(self.model_hosts))
        object.__setattr__(self, "_named", glob_set(self.gateways))
        object.__setattr__(self, "_pointed_at", glob_set(self.pointed_at))
        object.__setattr__(self, "_files", files)
        object.__setattr__(self, "_globs", tuple(globs))

    def is_named_gateway(self, host: str, port: int) -> bool:
        """Whether the policy names it as a gateway to models."""
        return names_gateway(self._named, host, port)

    def is_gateway(self, host: str, port: int) -> bool:
        """Whether it passes prompts on to a model, as far as the policy or the session's environment says."""
        return self.is_named_gateway(host, port) or names_gateway(self._pointed_at, host, port)

    def login_of(self, path: str) -> _Owner | None:
        """The agent whose login lies in the file at `path`, and where that login may go; None when nobody's."""
        if not path:
            return None
        exact = self._files.get(path)
        return exact or next((owner for files, owner in self._globs if files.matches(path)), None)

    def _expand(self, path: str) -> str:
        return self.home + path[1:] if path.startswith("~/") else path
