"""What the dashboard says to do about an event: in the words of the one worklist."""

from __future__ import annotations

from dataclasses import replace

from record_builders import match, read, send, session

from agentguard.model.access import Access
from agentguard.model.event import Event
from agentguard.model.session import DEMO_AGENT
from agentguard.model.verdict import Outcome
from agentguard.show.tui.advice import next_step
from agentguard.show.tui.standing import standing_of
from agentguard.show.urgency import DEMANDS, Cause


def test_a_leak_an_exposure_and_an_old_value_are_told_as_on_the_worklist() -> None:
    finding, verdict = send(1)
    old = read(1, matches=(match(access=Access.ROTATED),))
    said = {
        Cause.LEAKED: Event(1, finding, verdict),
        Cause.EXPOSED: Event(1, finding, replace(verdict, outcome=Outcome.EXPOSED)),
        Cause.STILL_USED: Event(1, *old),
    }
    for cause, event in said.items():
        assert next_step(event) == DEMANDS[cause].short.format(name="OPENAI_API_KEY")
    assert next_step(Event(1, *read(1))) == "See the sends after it. A policy rule can expect it."


def test_of_more_than_one_it_speaks_in_the_plural() -> None:
    finding, verdict = send(1, matches=(match(), match(name="DATABASE_URL", fingerprint="1" * 32)))
    told = next_step(Event(1, finding, verdict))
    assert told == "Revoke OPENAI_API_KEY and DATABASE_URL at their issuers now: they are public."


def test_the_demo_asks_for_nothing() -> None:
    finding, verdict = send(1)
    leaked = replace(session(), outcome=Outcome.LEAKED)
    cause = Event(1, finding, verdict)
    assert "Revoke" in standing_of(leaked, cause, guarded=True).then
    assert "nothing to revoke" in standing_of(replace(leaked, agent=DEMO_AGENT), cause, guarded=True).then
