"""Recorded events before today's policy: for `policy explain`, and for the dashboard's rules and explanations."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from agentguard.attribute.agents import load_agents
from agentguard.detect.files import FilePattern, FilePatterns, load_file_patterns
from agentguard.judge.context import Context, Login
from agentguard.judge.facts import Facts
from agentguard.model.event import Event
from agentguard.model.finding import Finding
from agentguard.model.session import Session
from agentguard.model.verdict import Destination, Disposition
from agentguard.paths import policies_dir


class Recorded:
    """Makes of an event what a policy can judge. The data files are read when they are first needed."""

    @cached_property
    def context(self) -> Context:
        """What is the same in every session here."""
        catalogue = load_agents(policies_dir() / "agents.yaml")
        logins = tuple(
            Login(agent.id, agent.own_credentials, (*agent.model_hosts, *agent.login_hosts))
            for agent in catalogue.agents
        )
        return Context(model_hosts=catalogue.model_hosts(), identify=catalogue.identify, logins=logins)

    def file_pattern(self, path: str) -> FilePattern | None:
        """The entry of policies/files.yaml that names a file."""
        return self._patterns.match_name(path) if path else None

    def judgeable(self, event: Event, session: Session | None, gateways: tuple[str, ...]) -> tuple[Finding, Context]:
        """As far as the record goes: it keeps no list of expected readers.

        Args:
            session: the event's; None when it is gone.
            gateways: of the policy that judges.
        """
        # What the session's environment pointed at is not kept, but what it made of the receiver is.
        pointed_at = (event.finding.host,) if event.verdict.destination is Destination.MODEL else ()
        context = replace(self.context, session_agent=event.finding.agent, pointed_at=pointed_at, gateways=gateways)
        if session is not None:
            context = replace(context, session_agent=session.agent, root_pid=session.root_pid)
        pattern = self.file_pattern(event.finding.path)
        refused = event.verdict.rule if event.verdict.disposition is Disposition.BLOCKED else ""
        readers = pattern.expected_readers if pattern else ()
        return replace(event.finding, expected_readers=readers, enforced_rule=refused), context

    def facts(self, event: Event, session: Session | None, gateways: tuple[str, ...] = ()) -> Facts:
        """The same, for conditions."""
        return Facts(*self.judgeable(event, session, gateways))

    @cached_property
    def _patterns(self) -> FilePatterns:
        return load_file_patterns(policies_dir() / "files.yaml")
