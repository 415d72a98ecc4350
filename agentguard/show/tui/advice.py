"""What an event means and what to do next, in words. Pure."""

from __future__ import annotations

from agentguard.model.event import Event
from agentguard.model.finding import Activity, Finding, Kind
from agentguard.model.secret import KNOWN_VALUE, SecretMatch
from agentguard.model.verdict import Destination, Disposition, Outcome
from agentguard.show.tui.words import clean


def next_step(event: Event) -> str:
    """One sentence; "" when there is nothing to do."""
    finding, verdict = event.finding, event.verdict
    if finding.gap is not None:
        remedy = clean(finding.gap.remedy)
        return remedy if verdict.outcome is Outcome.UNKNOWN else ""
    if verdict.disposition is Disposition.BLOCKED:
        return "Nothing left this machine. Look at what asked for it before you allow it."
    if verdict.outcome is Outcome.LEAKED:
        return f"Revoke {secret_names(finding)} at its issuer now and make a new one: treat it as public."
    if verdict.outcome is Outcome.EXPOSED:
        return f"Rotate {secret_names(finding)}: it is in the model provider's logs. Keep the file out of the prompt."
    if verdict.disposition is Disposition.ALERT:
        return _alert_step(finding)
    return ""


def _alert_step(finding: Finding) -> str:
    if finding.activity is Activity.READ:
        return "Check where it went: the sends after this read. Expected? A policy rule can say so."
    if finding.kind is Kind.COMMAND:
        return "Check that the task needed this credential. Expected? A policy rule can say so."
    if finding.activity is Activity.INHERIT:
        return "Start the agent without these variables, unless the task needs them."
    return "Check that the task needed it. Expected? A policy rule can say so."


def secret_names(finding: Finding) -> str:
    """`OPENAI_API_KEY`, `OPENAI_API_KEY and DATABASE_URL`, `4 secrets`."""
    names = list(dict.fromkeys(secret_name(match) for match in finding.matches))
    if not names:
        return "the secret"
    return " and ".join(names) if len(names) <= 2 else f"{len(names)} secrets"


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
