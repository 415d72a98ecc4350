"""The words a rule's `when` may use: what each asks of the facts, and which values it allows.

The order of the tables is the order conditions are tried in: cheap and telling ones first.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from agentguard.judge.facts import Facts
from agentguard.model.access import Access
from agentguard.model.finding import Activity, Kind
from agentguard.model.observation import GapType
from agentguard.model.process import Attribution
from agentguard.model.verdict import Destination

AUTH = "auth"
"""Name of the group of places where keys go."""

_AUTH_HEADERS = (
    "authorization",
    "proxy-authorization",
    "cookie",
    "api-key",
    "apikey",
    "x-api-key",
    "x-goog-api-key",
    "x-api-token",
    "x-access-token",
    "x-auth-token",
    "x-auth-key",
    "x-token",
    "x-secret-key",
    "x-amz-security-token",
    "private-token",
    "job-token",
    "deploy-token",
    "x-vault-token",
    "x-registry-auth",
    "x-figma-token",
    "x-shopify-access-token",
    "dd-api-key",
    "dd-application-key",
    "circle-token",
    "x-honeycomb-team",
    "x-postmark-server-token",
    "x-sentry-auth",
    "x-goog-iam-authorization-token",
    "ocp-apim-subscription-key",
    "x-functions-key",
    "x-subscription-token",
    "x-github-token",
    "x-gitlab-token",
    "x-auth-email-token",
    "xi-api-key",
)

AUTH_PLACES = (
    "url-userinfo",
    *(f"header:{name}" for name in _AUTH_HEADERS),
)

PLACES = ("body", "host", "path", "query", "url-userinfo", "websocket", "tcp", "dns", "argv", "environment", "file")
PLACE_PREFIXES = ("header:", "multipart:")

ENUMS: dict[str, type[StrEnum]] = {
    "kind": Kind,
    "activity": Activity,
    "destination": Destination,
    "gap": GapType,
    "attribution": Attribution,
    "access": Access,
}
"""Words whose values are names of the model, not globs."""


TEXT: dict[str, Callable[[Facts], str]] = {
    "kind": lambda facts: facts.finding.kind,
    "activity": lambda facts: facts.finding.activity,
    "gap": lambda facts: facts.finding.gap.type if facts.finding.gap else "",
    "place": lambda facts: facts.match.place.lower() if facts.match else "",
    "type": lambda facts: facts.match.type if facts.match else "",
    "attribution": lambda facts: facts.finding.attribution,
    "access": lambda facts: facts.match.access if facts.match else "",
    "agent": Facts.agent,
    "sensor": lambda facts: facts.finding.gap.sensor if facts.finding.gap else facts.finding.sensor,
    "method": lambda facts: facts.finding.method,
    "protocol": lambda facts: facts.finding.protocol,
    "port": lambda facts: str(facts.finding.port) if facts.finding.port else "",
    "host": lambda facts: facts.finding.host,
    "file_kind": lambda facts: facts.finding.file_kind,
    "command_rule": lambda facts: facts.finding.command_rule,
    "process": Facts.process_name,
    "path": Facts.path,
}
"""Words with one value."""

MANY: dict[str, Callable[[Facts], tuple[str, ...]]] = {
    "destination": Facts.destinations,
    "ancestor": Facts.ancestors,
}
"""Words with several values, any of which may match."""

FLAGS: dict[str, Callable[[Facts], bool]] = {
    "public": lambda facts: facts.match is not None and facts.match.public,
    "covered": lambda facts: facts.finding.gap is not None and facts.finding.gap.covered_by != "",
    "secret_within_reach": lambda facts: facts.finding.gap is not None and facts.finding.gap.secret_within_reach,
    "has_flow": Facts.has_flow,
    "known_source": Facts.known_source,
    "issuer_known": Facts.issuer_known,
    "model_key": Facts.model_key,
    "fronted": lambda facts: facts.finding.asked_host != "",
    "own_gateway": Facts.own_gateway,
    "expected_reader": Facts.expected_reader,
    "own_login": Facts.own_login,
    "own_process": Facts.own_process,
    "secret_host": lambda facts: facts.finding.host in facts.context.secret_hosts,
    "remote_host": lambda facts: facts.finding.host in facts.context.remote_hosts,
    "inline_code": Facts.inline_code,
    "agent_process": Facts.agent_process,
}
"""Words that are true or false."""

ORDER = ("kind", "activity", "destination", *(word for word in (*TEXT, "ancestor", *FLAGS) if word not in ENUMS))
WORDS = tuple(dict.fromkeys((*TEXT, *MANY, *FLAGS)))


def place_problem(place: str) -> str:
    """What is wrong with a place a rule names; "" when nothing is."""
    if place == AUTH or place in PLACES or place.startswith(PLACE_PREFIXES):
        return ""
    return f"unknown place {place!r}; allowed: {AUTH}, {', '.join(PLACES)}, header:NAME, multipart:FIELD"
