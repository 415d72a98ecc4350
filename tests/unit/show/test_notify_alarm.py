"""Which events call for a person, and which two of them are the same."""

from __future__ import annotations

import dataclasses

import pytest
from notify_builders import alarm, alarm_from
from record_builders import FINGERPRINT, HOSTILE, gap, match, process, read, send

from agentguard.model.finding import Finding, Gap
from agentguard.model.observation import GapType
from agentguard.model.verdict import Disposition, Outcome, Severity, Verdict
from agentguard.show.notify.alarm import Need, alarm_of


def judged(event: tuple[Finding, Verdict], **verdict: object) -> tuple[Finding, Verdict]:
    return event[0], dataclasses.replace(event[1], **verdict)  # type: ignore[arg-type]


def died(kind: GapType, *, outcome: Outcome = Outcome.UNKNOWN, covered_by: str = "") -> tuple[Finding, Verdict]:
    finding, verdict = gap(1)
    told = Gap(type=kind, sensor="seccomp", detail="the seccomp sensor has stopped", covered_by=covered_by)
    return dataclasses.replace(finding, gap=told), dataclasses.replace(verdict, outcome=outcome)


def test_what_can_wait_calls_for_nobody() -> None:
    logged = judged(send(1), disposition=Disposition.LOGGED, severity=Severity.INFO, outcome=Outcome.CLEAN)
    for event in (read(1), gap(1), logged):
        assert alarm_of(*event) is None


@pytest.mark.parametrize(
    ("event", "need"),
    [
        (send(1), Need.LEAKED),
        (judged(send(1), outcome=Outcome.EXPOSED, severity=Severity.HIGH), Need.EXPOSED),
        (judged(send(1), outcome=Outcome.EXPOSED), Need.CRITICAL),
        (judged(read(1), severity=Severity.CRITICAL), Need.CRITICAL),
        (judged(send(1), disposition=Disposition.BLOCKED, outcome=Outcome.CLEAN), Need.BLOCKED),
        (died(GapType.SENSOR_STOPPED), Need.SENSOR),
        (died(GapType.PROXY_RESTARTED), Need.SENSOR),
    ],
)
def test_what_cannot_wait(event: tuple[Finding, Verdict], need: Need) -> None:
    assert alarm_from(event).need is need


def test_a_sensor_that_another_stands_in_for_wakes_nobody() -> None:
    assert alarm_of(*died(GapType.SENSOR_STOPPED, outcome=Outcome.CLEAN, covered_by="inotify")) is None


def test_a_gap_of_another_kind_is_for_the_report() -> None:
    assert alarm_of(*died(GapType.TLS_REFUSED)) is None


def test_the_same_credential_at_the_same_place_is_the_same_in_every_session() -> None:
    first = alarm(1)
    assert alarm(2, session="s-two", process=process(5, "wget")).keys == first.keys
    assert alarm(3, host="other.example").keys != first.keys
    other = match(fingerprint="ab" * 16)
    assert alarm(4, matches=(other,)).keys.isdisjoint(first.keys)
    assert alarm(5, matches=(other, match())).keys > first.keys


def test_an_exposure_does_not_silence_a_leak() -> None:
    exposed = alarm_from(judged(send(1), outcome=Outcome.EXPOSED, severity=Severity.HIGH))
    assert exposed.keys.isdisjoint(alarm(1).keys)


def test_a_sensor_dies_anew_in_each_session() -> None:
    finding, verdict = died(GapType.SENSOR_STOPPED)
    other = dataclasses.replace(finding, session="s-two")
    assert alarm_from((finding, verdict)).keys != alarm_from((other, verdict)).keys


def test_only_the_credentials_at_fault_are_named() -> None:
    """The provider's own key in its header is no news."""
    login = match(place="header:authorization", issuer_hosts=("paste.example",), fingerprint="cd" * 16, name="LOGIN")
    found = alarm(1, matches=(login, match(place="body")))
    assert [one.fingerprint for one in found.credentials] == [FINGERPRINT]


def test_a_thousand_credentials_in_one_request_are_counted() -> None:
    many = tuple(match(fingerprint=f"{number:032x}", name=f"KEY_{number}", place="body") for number in range(1000))
    found = alarm(1, matches=many)
    assert len(found.credentials) == 8
    assert found.more == 992
    assert len(found.keys) == 1000


def test_hostile_text_is_spelled_out_and_cut() -> None:
    found = alarm(1, subject=HOSTILE * 50, host="x\x1b]0;owned\x07\u202e", process=process(7, HOSTILE))
    for text in (found.subject, found.destination, found.process, found.reason):
        assert text.isprintable()
        assert len(text) <= 300
