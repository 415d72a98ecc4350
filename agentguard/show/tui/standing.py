"""How it stands with a session, in one sentence, and the one thing to do about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from agentguard.command_name import command
from agentguard.model.event import Event
from agentguard.model.session import DEMO_AGENT, Coverage, SensorState, Session
from agentguard.model.verdict import Outcome
from agentguard.show.tui.advice import next_step
from agentguard.show.tui.words import OUTCOME, Look, clean, plural, sensor_look

GUARD_DIED = Look("✕", "NOT GUARDED", "bold $text-error")
_SENTENCE = {
    Outcome.CLEAN: "Nothing went where it should not go.",
    Outcome.UNKNOWN: "Something could not be seen.",
    Outcome.EXPOSED: "A model provider received a credential.",
    Outcome.LEAKED: "A credential went to a host that is not its issuer.",
}
_DEMO = "That was the demo: its keys are made up, there is nothing to revoke."


@dataclass(frozen=True, slots=True)
class Standing:
    """The answer to "is everything fine?"."""

    look: Look
    tone: str
    """clean, unknown, exposed or leaked: the colour it is said in."""
    sentence: str
    then: str
    """What to do next, one sentence."""


def standing_of(session: Session, cause: Event | None, *, guarded: bool) -> Standing:
    """`cause`: the event that made the outcome; `guarded`: whoever watches the session lives, or it has ended."""
    outcome = session.outcome
    if not guarded:
        then = f"Stop the agent and start it again: {command()} run -- {' '.join(session.command[:1])}"
        return Standing(GUARD_DIED, "leaked", "The guard of this session died: nothing is seen any more.", clean(then))
    sentence = clean(session.outcome_reason) or _SENTENCE[outcome]
    if session.agent == DEMO_AGENT:
        return Standing(OUTCOME[outcome], outcome.value, sentence, _DEMO)
    if outcome is not Outcome.CLEAN:
        then = next_step(cause) if cause is not None else ""
        return Standing(OUTCOME[outcome], outcome.value, sentence, _begun(then) or _further(outcome))
    blind = blind_sensors(session)
    if blind:
        names = " and ".join(clean(one.sensor) for one in blind[:2])
        then = f"{sensor_look(blind[0]).word}: {names}. Press 5 for what is not seen, and why."
        return Standing(OUTCOME[outcome], Outcome.UNKNOWN.value, sentence, _begun(then))
    alerts = session.counts.get("alerts", 0) + session.counts.get("blocked", 0)
    then = f"{plural(alerts, 'event')} to look at: n goes there." if alerts else "Nothing to do."
    return Standing(OUTCOME[outcome], outcome.value, sentence, then)


def blind_sensors(session: Session) -> tuple[Coverage, ...]:
    """Those that died or lose events while the session runs, and those that died in one that has ended.

    One that could not start here is no news: it is told in the sensors' place, and `doctor` says why.
    """
    return tuple(
        one
        for one in session.coverage
        if one.state is SensorState.FAILED or (one.state is SensorState.RUNNING and one.drops)
    )


def _begun(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _further(outcome: Outcome) -> str:
    if outcome is Outcome.UNKNOWN:
        return "Press 5 for what could not be seen."
    return "Press 4 for the keys to rotate."
