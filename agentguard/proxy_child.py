"""The proxy process: hands the mitmproxy addons their scanner and their policy.

Run as `python -m agentguard.proxy_child FD`; FD is one end of a socketpair whose other end the supervisor holds. Beside
`agentguard.monitor`, and the detection that it is handed, the only place that wires stages together. Imports wait until
the process is hardened: nothing that could hold a secret is there before.
"""
# ruff: noqa: PLC0415

from __future__ import annotations

import gc
import socket
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from agentguard.sense.proxy.hardening import harden
from agentguard.sense.proxy.logs import keep_quiet

if TYPE_CHECKING:
    from collections.abc import Collection

    from agentguard.judge.context import Context
    from agentguard.judge.policy import Policy
    from agentguard.model.finding import Finding
    from agentguard.model.observation import HttpObservation
    from agentguard.model.secret import SecretMatch
    from agentguard.sense.proxy.config import ProxyConfig
    from agentguard.sense.proxy.interface import Guard


def main(arguments: list[str]) -> int:
    """Serve until the session is over. Returns an exit status."""
    gc.disable()  # a quarter of the start would go into looking for garbage among imports; `run` enables it again
    harden()
    keep_quiet()
    from agentguard.sense.proxy.child import run

    return run(socket.socket(fileno=int(arguments[0])), build_guard)


def build_guard(config: ProxyConfig) -> Guard:
    """The scanner and the policy of a session.

    Raises:
        PolicyError: a policy or a data file is invalid.
    """
    from agentguard.detect.engine import build_engine
    from agentguard.detect.fingerprint import Fingerprinter
    from agentguard.detect.rules import load_types
    from agentguard.detect.scanner import Scanner
    from agentguard.detect.value_index import ValueIndex
    from agentguard.judge.load import load_policy
    from agentguard.model.verdict import Disposition
    from agentguard.sense.proxy.interface import Guard

    types = load_types(config.policies / "secrets.yaml")
    fingerprinter = Fingerprinter(config.fingerprint_key)
    values = ValueIndex()
    scanner = Scanner(types, build_engine(types, cache=config.cache), fingerprinter, values)
    policy = load_policy(home=config.home, workspace=config.workspace, base=config.base_policy)
    can_block = any(rule.then.disposition is Disposition.BLOCKED for rule in (*policy.rules, *policy.stricter))
    gate = Gate(policy, context_of(config, policy), config.rotated) if can_block else None
    return Guard(
        scanner=scanner, learn=values.add, decide=gate.decide if gate else lambda _draft: "", can_block=can_block
    )


class Gate:
    """Asks the policy about a request that is still held."""

    def __init__(self, policy: Policy, context: Context, rotated: Collection[str] = ()) -> None:
        self._policy = policy
        self._context = context
        self._rotated = frozenset(rotated)

    def decide(self, draft: HttpObservation) -> str:
        """The rule (FILE:ID) that blocks it, or ""."""
        from agentguard.model.verdict import Disposition

        verdict = self._policy.judge(self._finding(draft), self._context)
        return verdict.rule if verdict.disposition is Disposition.BLOCKED else ""

    def _finding(self, draft: HttpObservation) -> Finding:
        """What detect will make of it later, as far as the policy can ask."""
        from agentguard.model.finding import Activity, Finding, Kind
        from agentguard.model.process import ATTRIBUTION_OF, Process

        who = draft.process
        process = None
        if who is not None:
            process = Process(
                pid=who.pid,
                name=who.name,
                exe=who.exe,
                cmdline=who.cmdline,
                start_time=who.start_time,
                ancestors=who.ancestors,
            )
        return Finding(
            uid="",
            time_ns=draft.time_ns,
            session="",
            agent=self._context.session_agent,
            kind=Kind.NETWORK if draft.protocol == "tcp" else Kind.HTTP,
            activity=Activity.SEND,
            subject=f"{draft.method} {draft.url}",
            sensor=draft.sensor,
            process=process,
            attribution=ATTRIBUTION_OF[draft.confidence],
            confidence=draft.confidence,
            host=draft.host,
            port=draft.port,
            asked_host=draft.asked_host,
            method=draft.method,
            protocol=draft.protocol,
            matches=tuple(map(self._compared, draft.matches)),
        )

    def _compared(self, match: SecretMatch) -> SecretMatch:
        """Of what is unusual, only an old value is known here: the rest is told once it is recorded."""
        from agentguard.model.access import Access

        old = match.fingerprint in self._rotated and not match.public
        return replace(match, access=Access.ROTATED) if old else match


def context_of(config: ProxyConfig, policy: Policy) -> Context:
    """What the policy must know of the session."""
    from agentguard.attribute.agents import load_agents
    from agentguard.judge.context import Context, Login

    catalogue = load_agents(config.policies / "agents.yaml")
    logins = tuple(
        Login(agent.id, agent.own_credentials, (*agent.model_hosts, *agent.login_hosts)) for agent in catalogue.agents
    )
    return Context(
        session_agent=config.agent,
        model_hosts=catalogue.model_hosts(),
        gateways=policy.gateways,
        pointed_at=config.pointed_at,
        identify=catalogue.identify,
        logins=logins,
        can_hold=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
