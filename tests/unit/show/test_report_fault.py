"""Which credential of a request is to be revoked, and which was only doing its work."""

from __future__ import annotations

from dataclasses import replace

import pytest
from record_builders import match, send

from agentguard.model.event import Event
from agentguard.model.fault import at_fault
from agentguard.model.verdict import Outcome
from agentguard.show.phrases import match_names
from agentguard.show.report.credentials import credentials_of

KEY = match(type="openai-project-key", name="Authorization", place="header:authorization", fingerprint="aa")
LOGIN = match(type="known-value", name="", place="header:authorization", fingerprint="bb", issuer_hosts=())
BODY = match(type="known-value", name="DATABASE_URL", place="body", fingerprint="cc", issuer_hosts=("db.internal",))
OWN_IN_BODY = replace(KEY, place="body", fingerprint="dd")


def request(*matches, host: str = "api.openai.com", outcome: Outcome = Outcome.EXPOSED) -> Event:
    finding, verdict = send(1, host=host, matches=matches)
    return Event(1, finding, replace(verdict, outcome=outcome))


@pytest.mark.parametrize(
    ("event", "guilty"),
    [
        (request(KEY, BODY), ["cc"]),
        (request(LOGIN, BODY), ["cc"]),
        (request(KEY, OWN_IN_BODY), ["dd"]),
        (request(LOGIN), ["bb"]),
        (request(KEY), ["aa"]),
        (request(KEY, BODY, host="paste.example", outcome=Outcome.LEAKED), ["aa", "cc"]),
        (request(KEY, BODY, host="eu.api.openai.com", outcome=Outcome.LEAKED), ["cc"]),
        (request(KEY, BODY, host="notapi.openai.com", outcome=Outcome.LEAKED), ["aa", "cc"]),
    ],
)
def test_a_key_on_its_way_to_its_issuer_is_cleared(event: Event, guilty: list[str]) -> None:
    assert [one.fingerprint for one in at_fault(event)] == guilty


def test_only_the_guilty_are_to_be_rotated() -> None:
    found = {one.fingerprint: one for one in credentials_of([request(KEY, BODY)])}
    assert {name: one.outcome for name, one in found.items()} == {"aa": Outcome.CLEAN, "cc": Outcome.EXPOSED}
    assert found["aa"].name == ""


def test_a_blocked_request_harms_nobody() -> None:
    event = request(BODY, host="paste.example", outcome=Outcome.LEAKED)
    blocked = replace(event, verdict=replace(event.verdict, disposition=type(event.verdict.disposition)("blocked")))
    (one,) = credentials_of([blocked])
    assert (one.outcome, one.hosts) == (Outcome.CLEAN, [])


def test_names_are_told_once_and_a_header_is_no_name() -> None:
    assert match_names([KEY, BODY, BODY]) == "openai-project-key and DATABASE_URL"
    assert match_names([LOGIN]) == "a value of a secret file"
    assert match_names([match(name=str(number)) for number in range(5)]) == "0, 1, 2 and 2 more"
    assert match_names([]) == ""
