"""Which credentials of a request its outcome is about.

A request to a model provider carries the provider's own key in a header, where keys go, and perhaps another
credential in its prompt: only the second was exposed. The verdict is of the whole request; this tells them apart.
"""

from __future__ import annotations

from agentguard.model.event import Event
from agentguard.model.secret import SecretMatch
from agentguard.model.verdict import Outcome

_KEY_PLACES = ("header:", "query", "path", "url-userinfo")


def at_fault(event: Event) -> tuple[SecretMatch, ...]:
    """The matches that the event's outcome applies to; all of them when none can be cleared."""
    return guilty(event.finding.matches, event.finding.host, event.verdict.outcome)


def guilty(matches: tuple[SecretMatch, ...], host: str, outcome: Outcome) -> tuple[SecretMatch, ...]:
    """As `at_fault`, of a request to `host`."""
    suspects = tuple(match for match in matches if not _expected(match, host))
    if outcome is Outcome.EXPOSED:
        # A prompt is a body: what stands in a header beside it is the agent's login.
        suspects = tuple(match for match in suspects if not match.place.startswith("header:")) or suspects
    return suspects or matches


def _expected(match: SecretMatch, host: str) -> bool:
    """A key on its way to its own issuer in a place where keys go."""
    to_issuer = any(host == issuer or host.endswith(f".{issuer}") for issuer in match.issuer_hosts)
    return to_issuer and match.place.startswith(_KEY_PLACES)
