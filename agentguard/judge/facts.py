"""What rules may ask of one finding and one of its matches: looked up when asked, the dear answers once."""

from __future__ import annotations

from agentguard.judge.context import Context
from agentguard.judge.destination import destinations
from agentguard.judge.inline import runs_inline_code
from agentguard.model.finding import Finding
from agentguard.model.secret import SecretMatch
from agentguard.model.session import UNNAMED_AGENTS
from agentguard.model.verdict import Destination


class Facts:
    """One finding, looked at through one match at a time (`look_at`); None is the finding as a whole."""

    __slots__ = ("_agent_process", "_destinations", "context", "finding", "match")

    def __init__(self, finding: Finding, context: Context) -> None:
        self.finding = finding
        self.context = context
        self.match: SecretMatch | None = None
        self._agent_process: bool | None = None
        self._destinations: tuple[Destination, ...] | None = None

    def look_at(self, match: SecretMatch | None) -> None:
        self.match = match
        self._destinations = None

    def destinations(self) -> tuple[Destination, ...]:
        """The classes of the receiving host, the most telling first; empty when nothing is sent or connected."""
        if self._destinations is None:
            self._destinations = self._classify()
        return self._destinations

    def ancestors(self) -> tuple[str, ...]:
        process = self.finding.process
        return tuple(parent.name for parent in process.ancestors) if process else ()

    def process_name(self) -> str:
        process = self.finding.process
        return process.name if process else ""

    def agent(self) -> str:
        """The agent at work: the nearest one above the process; the session's where none is known."""
        return self.finding.agent if self.finding.agent != "unknown" else self.context.session_agent

    def path(self) -> str:
        """Of the file; of the URL for a request, without its query."""
        return self.finding.path or url_path(self.finding.subject)

    def expected_reader(self) -> bool:
        return self.process_name() in self.finding.expected_readers

    def own_login(self) -> bool:
        """The file is the login of the agent at work."""
        finding, agent = self.finding, self.agent()
        if finding.file_agent:
            return finding.file_agent == agent
        login = self.context.login_of(finding.path)
        return login is not None and login[0] == agent

    def agent_process(self) -> bool:
        """It was an agent itself, not a program it started."""
        if self._agent_process is None:
            self._agent_process = self._is_agent()
        return self._agent_process

    def own_process(self) -> bool:
        """The path lies in the reader's own folder of /proc."""
        process = self.finding.process
        return process is not None and self.finding.path.startswith(f"/proc/{process.pid}/")

    def inline_code(self) -> bool:
        process = self.finding.process
        return process is not None and runs_inline_code(process.name, process.cmdline)

    def has_flow(self) -> bool:
        """This value was read before in this session."""
        flow = self.finding.flow
        return flow is not None and (self.match is None or flow.fingerprint == self.match.fingerprint)

    def known_source(self) -> bool:
        """The value stands in a secret file, or was read before in this session."""
        return (self.match is not None and self.match.source_path != "") or self.has_flow()

    def issuer_known(self) -> bool:
        """Some host is named as the one this credential is meant for."""
        match = self.match
        return match is not None and (bool(match.issuer_hosts) or self.context.login_of(match.source_path) is not None)

    def own_gateway(self) -> bool:
        """The policy names the receiving host as a gateway to models."""
        return self.context.is_named_gateway(self.finding.host, self.finding.port)

    def model_key(self) -> bool:
        """A model provider issued it."""
        return self.match is not None and any(self.context.models.matches(host) for host in self.match.issuer_hosts)

    def _is_agent(self) -> bool:
        process, context = self.finding.process, self.context
        if process is None:
            return False
        if context.identify is not None and context.identify(process.cmdline, process.exe) is not None:
            return True
        # The root of a known agent's session that is not that agent is its launcher (npx), which reads its own files.
        # The root of another session is taken for the agent, unless it reads the very files it is made for (ssh, npm).
        by_name = context.identify is not None and context.session_agent not in UNNAMED_AGENTS and bool(process.cmdline)
        is_root = context.root_pid != 0 and process.pid == context.root_pid
        return is_root and not by_name and not self.expected_reader()

    def _classify(self) -> tuple[Destination, ...]:
        host, match = self.finding.host, self.match
        if not host:
            return ()
        if self.finding.asked_host:
            return (Destination.OTHER,)  # whose certificate was verified is not who gets the request
        login = self.context.login_of(match.source_path) if match else None
        issuers = match.issuer_hosts if match else ()
        gateway = self.context.is_gateway(host, self.finding.port)
        return destinations(host, issuers, login[1] if login else None, self.context.models, gateway=gateway)


def url_path(subject: str) -> str:
    """`/a/b` of `POST https://host/a/b?c=d`; "" when the subject is no request."""
    rest = subject.partition("://")[2]
    slash = rest.find("/")
    return rest[slash:].partition("?")[0].partition("#")[0] if slash >= 0 else ""
