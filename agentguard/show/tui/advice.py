"""What an event means and what to do next, in words. Pure."""

from __future__ import annotations

from agentguard.model.access import Access
from agentguard.model.event import Event
from agentguard.model.finding import Activity, Finding, Kind
from agentguard.model.secret import KNOWN_VALUE, SecretMatch
from agentguard.model.verdict import Destination, Disposition, Outcome
from agentguard.show.tui.words import clean
from agentguard.show.urgency import DEMANDS, Standing, cause_of


def next_step(event: Event) -> str:
    """One sentence; "" when there is nothing to do."""
    finding, verdict = event.finding, event.verdict
    if finding.gap is not None:
        remedy = clean(finding.gap.remedy)
        return remedy if verdict.outcome is Outcome.UNKNOWN else ""
    if verdict.disposition is Disposition.BLOCKED:
        return "Nothing left. See what asked for it before you allow it."
    cause = cause_of(_standing(event))
    if cause is not None:
        demand = DEMANDS[cause]
        text = demand.short if len(_names(finding)) <= 1 else demand.several
        return text.format(name=secret_names(finding))
    if finding.kind is Kind.FINDING and finding.activity is Activity.EXEC:
        return "Start the session with `agentguard run --allow-privileged`, if the task needs it."
    if verdict.disposition is Disposition.ALERT:
        return _alert_step(finding)
    return ""


def _standing(event: Event) -> Standing:
    """As far as one event tells."""
    old = any(match.access is Access.ROTATED for match in event.finding.matches)
    if old:
        return Standing(rotated_ns=0, last_used_ns=event.finding.time_ns)
    return Standing(outcome=event.verdict.outcome)


def _alert_step(finding: Finding) -> str:
    if finding.activity is Activity.READ:
        return "See the sends after it. A policy rule can expect it."
    if finding.kind is Kind.COMMAND:
        return "Did the task need this credential? A policy rule can expect it."
    if finding.activity is Activity.INHERIT:
        return "Start the agent without these variables, if the task allows."
    return "Did the task need it? A policy rule can expect it."


def secret_names(finding: Finding) -> str:
    """`OPENAI_API_KEY`, `OPENAI_API_KEY and DATABASE_URL`, `4 secrets`."""
    names = _names(finding)
    if not names:
        return "the secret"
    return " and ".join(names) if len(names) <= 2 else f"{len(names)} secrets"


def _names(finding: Finding) -> list[str]:
    return list(dict.fromkeys(secret_name(match) for match in finding.matches))


def secret_name(match: SecretMatch) -> str:
    """Its variable, else its type in words."""
    if match.name:
        return clean(match.name)
    return "a known value" if match.type == KNOWN_VALUE else clean(match.type).replace("-", " ")


def destination_word(destination: Destination | None) -> str:
    """Who received a send, in words."""
    return {
        Destination.ISSUER: "the credential's own issuer",
        Destination.MODEL: "a model provider: it becomes part of a prompt",
        Destination.LOOPBACK: "this machine",
        Destination.PRIVATE: "a private network",
        Destination.OTHER: "neither its issuer nor a model provider",
        None: "",
    }[destination]
