"""One exposure with a count, not a flood; and nothing that is new is ever only counted."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from judge_builders import CONTEXT, match, send

from agentguard.judge.load import load_policy
from agentguard.judge.repeats import Repeats
from agentguard.model.finding import Activity, Finding
from agentguard.model.process import Process

POLICY = load_policy(home=None, workspace=None)
MODEL = {"host": "api.anthropic.com", "path": "/v1/messages"}
MINUTE = 60 * 10**9


class Session:
    """Judges findings, and keeps what would be recorded."""

    def __init__(self) -> None:
        uids = count(1)
        self.repeats = Repeats(lambda: f"repeat-{next(uids)}")
        self.recorded: list[Finding] = []
        self._sent = count(1)

    def send(
        self, *secrets: str, place: str = "body", minute: int = 0, pid: int = 7, rule: str = "", **at: str
    ) -> None:
        matches = [match(place, fingerprint=secret) for secret in secrets]
        finding = replace(
            send(*matches, **(at or MODEL)),
            uid=f"send-{next(self._sent)}",
            time_ns=minute * MINUTE,
            process=Process(pid=pid, name="claude", exe="/usr/bin/claude", cmdline=("claude",), start_time=pid),
            enforced_rule=rule,
        )
        self.recorded += self.repeats.take(finding, POLICY.judge(finding, CONTEXT))

    def end(self) -> list[Finding]:
        self.recorded += self.repeats.rest()
        return self.recorded

    def shape(self) -> list[tuple[str, int, str]]:
        return [(one.activity.value, one.count, one.repeats) for one in self.end()]


def test_two_hundred_requests_are_one_exposure_and_a_count() -> None:
    session = Session()
    for _ in range(200):
        session.send("a")
    assert session.shape() == [("send", 1, ""), ("repeat", 199, "send-1")]
    told = session.recorded[-1]
    assert told.subject == "POST https://api.anthropic.com/v1/messages (199 more times)"
    assert POLICY.judge(told, CONTEXT).rule == "policies/default.yaml:sent-again"
    assert session.end() == session.recorded, "what was told is not told again"


def test_a_history_that_grows_tells_each_new_secret_once() -> None:
    session = Session()
    for secrets in ("a", "a", "ab", "ab", "ab", "b", "abc"):
        session.send(*secrets)
    assert session.shape() == [
        ("send", 1, ""),
        ("repeat", 1, "send-1"),
        ("send", 1, ""),
        ("repeat", 3, "send-3"),
        ("send", 1, ""),
    ]
    assert sum(one.count for one in session.recorded) == 7


@pytest.mark.parametrize(
    "other",
    [
        {"pid": 8},
        {"place": "query"},
        {"rule": "policy.yaml:closed"},
        {"host": "api.openai.com", "path": "/v1/messages"},
        {"host": "paste.example", "path": "/v1/messages"},
    ],
)
def test_what_differs_is_an_event_of_its_own(other: dict[str, Any]) -> None:
    session = Session()
    session.send("a")
    session.send("a", **other)
    assert session.shape() == [("send", 1, ""), ("send", 1, "")]


def test_the_model_asked_may_stand_in_the_path_but_elsewhere_a_path_is_a_place() -> None:
    session = Session()
    for model in ("small", "large"):
        session.send("a", host="generativelanguage.googleapis.com", path=f"/v1/models/{model}:generateContent")
    for name in ("one", "two"):
        session.send("a", host="paste.example", path=f"/{name}")
    assert [one.activity for one in session.end()] == [Activity.SEND, Activity.SEND, Activity.SEND, Activity.REPEAT]


def test_refusals_are_counted_too() -> None:
    session = Session()
    for _ in range(5):
        session.send("a", rule="policy.yaml:closed")
    assert session.shape() == [("send", 1, ""), ("repeat", 4, "send-1")]
    assert session.recorded[-1].subject.endswith("(refused 4 more times)")


def test_a_long_session_tells_its_counts_meanwhile() -> None:
    session = Session()
    for minute in (0, 1, 4, 6, 7, 9, 12):
        session.send("a", minute=minute)
    assert session.shape() == [("send", 1, ""), ("repeat", 3, "send-1"), ("repeat", 3, "send-1")]


def test_places_are_forgotten_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentguard.judge.repeats._MOST_PLACES", 32)
    session = Session()
    session.send("a", host="paste.example", path="/first")
    session.send("a", host="paste.example", path="/first")
    for number in range(32):
        session.send("a", host="paste.example", path=f"/{number}")
    assert ("repeat", 1, "send-1") in [(one.activity.value, one.count, one.repeats) for one in session.recorded]
    session.send("a", host="paste.example", path="/first")
    assert session.recorded[-1].activity is Activity.SEND


def test_what_is_no_send_is_never_held_back() -> None:
    session = Session()
    finding = replace(send(**MODEL), activity=Activity.CONNECT)
    verdict = POLICY.judge(finding, CONTEXT)
    assert [*session.repeats.take(finding, verdict), *session.repeats.take(finding, verdict)] == [finding, finding]
