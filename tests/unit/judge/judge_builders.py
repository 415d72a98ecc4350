"""Findings for the judge's tests, built from the same few words as a policy's examples."""

from __future__ import annotations

from dataclasses import replace

from agentguard.attribute.agents import load_agents
from agentguard.judge.context import Context, Login
from agentguard.judge.examples import situation
from agentguard.judge.parse import parse_policy
from agentguard.judge.policy import Policy
from agentguard.model.finding import Finding
from agentguard.model.secret import SecretMatch
from agentguard.paths import policies_dir

CATALOGUE = load_agents(policies_dir() / "agents.yaml")
CONTEXT = Context(
    model_hosts=CATALOGUE.model_hosts(),
    identify=CATALOGUE.identify,
    logins=tuple(Login(a.id, a.own_credentials, (*a.model_hosts, *a.login_hosts)) for a in CATALOGUE.agents),
    home="/home/ada",
)


def case(base: Context = CONTEXT, **words: str | list[str]) -> tuple[Finding, Context]:
    """A finding and its context, from words of `judge.examples.SITUATION`."""
    return situation({word: [value] if isinstance(value, str) else value for word, value in words.items()}, base)


def send(*matches: SecretMatch, host: str = "paste.example", path: str = "/", **words: str) -> Finding:
    finding, _ = case(kind="http", host=host, path=path, **words)
    return replace(finding, matches=matches)


def match(place: str = "body", **fields: object) -> SecretMatch:
    given = {"type": "database-url", "fingerprint": "f" * 32, "preview": "•••", "place": place, **fields}
    return SecretMatch(**given)  # type: ignore[arg-type]


def policy(text: str, stricter: str = "") -> Policy:
    """A policy of one file, and of one that may only make it stricter."""
    own = parse_policy(text.encode(), source="policy.yaml", shown="policy.yaml").rules
    other = parse_policy(stricter.encode(), source=".agentguard.yaml", shown=".agentguard.yaml") if stricter else None
    return Policy(own, stricter=other.rules if other else ())
