"""Accesses that are unusual for an agent, and what the policy makes of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from judge_builders import CONTEXT, case, match, policy, send

from agentguard.judge.habits import RISE, RISE_FROM, Habits
from agentguard.judge.load import load_policy
from agentguard.model.access import Access, AccessHistory, AgentHistory
from agentguard.model.event import Event, event_from_json, event_to_json
from agentguard.model.finding import Activity, Finding
from agentguard.model.verdict import Disposition, Severity, Verdict

KEY = match(place="file", fingerprint="aa")
READ = replace(case(kind="file", path="/home/ada/shop/.env", agent="codex", process="cat")[0], time_ns=100)


def habits(rotated_ns: int | None = None, **agents: AgentHistory) -> Habits:
    return Habits(lambda: {"aa": AccessHistory(rotated_ns=rotated_ns, agents=agents)})


def accesses(known: Habits, finding: Finding, times: int = 1) -> list[Access]:
    return [known.compare(replace(finding, matches=(KEY,))).matches[0].access for _ in range(times)]


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (AgentHistory(), Access.USUAL),
        (AgentHistory(sessions=2), Access.USUAL),
        (AgentHistory(sessions=3), Access.NEW_READER),
        (AgentHistory(sessions=9, taken_in=1, most=1), Access.USUAL),
    ],
)
def test_a_key_that_the_agent_never_took_while_it_was_known(history: AgentHistory, expected: Access) -> None:
    assert accesses(habits(codex=history), READ) == [expected]


def test_what_others_took_says_nothing_of_this_agent() -> None:
    known = habits(codex=AgentHistory(sessions=3), claude=AgentHistory(sessions=3, taken_in=3, most=9))
    assert accesses(known, READ) == [Access.NEW_READER]
    assert accesses(known, replace(READ, agent="claude")) == [Access.USUAL]
    assert accesses(known, replace(READ, agent="unknown")) == [Access.USUAL]
    assert accesses(known, replace(READ, activity=Activity.SEND)) == [Access.USUAL]
    assert accesses(Habits(dict), READ) == [Access.USUAL]


def test_a_sudden_rise_is_told_from_where_it_is_one() -> None:
    often = habits(codex=AgentHistory(sessions=5, taken_in=3, most=6))
    assert accesses(often, READ, RISE * 6 + 2) == [Access.USUAL] * RISE * 6 + [Access.SUDDEN_RISE] * 2
    seldom = habits(codex=AgentHistory(sessions=5, taken_in=3, most=1))
    assert accesses(seldom, READ, RISE_FROM + 1) == [Access.USUAL] * RISE_FROM + [Access.SUDDEN_RISE]
    little_known = habits(codex=AgentHistory(sessions=5, taken_in=2, most=1))
    assert set(accesses(little_known, READ, RISE_FROM + 5)) == {Access.USUAL}


def test_the_old_value_of_a_rotated_key_is_told_in_every_use() -> None:
    known = habits(rotated_ns=99, codex=AgentHistory(sessions=9, taken_in=9, most=9))
    assert accesses(known, READ) == [Access.ROTATED]
    assert accesses(known, replace(READ, activity=Activity.SEND, agent="unknown")) == [Access.ROTATED]
    assert accesses(known, replace(READ, time_ns=98)) == [Access.USUAL]
    public = replace(READ, matches=(replace(KEY, public=True),))
    assert known.compare(public).matches[0].access is Access.USUAL


def test_one_event_counts_once_and_the_history_is_read_once() -> None:
    asked: list[int] = []

    def load() -> dict[str, AccessHistory]:
        asked.append(1)
        return {"aa": AccessHistory(agents={"codex": AgentHistory(sessions=3, taken_in=3, most=0)})}

    known = Habits(load)
    assert known.compare(READ).matches == ()
    assert asked == []
    twice = replace(READ, matches=(KEY, replace(KEY, place="argv"), replace(KEY, fingerprint="bb")))
    for _ in range(RISE_FROM):
        assert known.compare(twice) is twice
    risen = known.compare(twice).matches
    assert [one.access for one in risen] == [Access.SUDDEN_RISE, Access.SUDDEN_RISE, Access.USUAL]
    assert asked == [1]


def judged(access: Access, finding: Finding = READ, rules: str = "") -> Verdict:
    finding = replace(finding, matches=(replace(KEY, access=access),))
    chosen = policy(rules) if rules else load_policy(home=None, workspace=None)
    return chosen.judge(finding, CONTEXT)


def test_an_unusual_read_is_one_step_graver_and_says_why() -> None:
    usual = judged(Access.USUAL)
    new, risen, rotated = (judged(access) for access in (Access.NEW_READER, Access.SUDDEN_RISE, Access.ROTATED))
    assert [one.severity.rank - usual.severity.rank for one in (new, risen, rotated)] == [1, 1, 1]
    assert {one.rule for one in (new, risen, rotated)} == {usual.rule}
    assert new.reason == f"{usual.reason} codex never took it before, in any session since it is known."
    assert risen.reason == f"{usual.reason} codex takes it far more often than in any session before."
    assert rotated.reason == f"{usual.reason} It was marked as rotated: its old value is still in use."


QUIET = """
version: 1
rules:
  - {id: quiet, description: It is ours., when: {kind: file}, then: {disposition: ignored, severity: critical}}
"""
SPEAKS = """
version: 1
rules:
  - id: old-values
    description: We clean up on Friday.
    when: {kind: file, access: [rotated, new-reader]}
    then: {disposition: logged, severity: info}
  - {id: rest, description: It is ours., when: {kind: file}, then: {disposition: ignored, severity: low}}
"""


def test_what_was_quiet_stays_so_but_for_an_old_value() -> None:
    assert judged(Access.NEW_READER, rules=QUIET).disposition is Disposition.IGNORED
    old = judged(Access.ROTATED, rules=QUIET)
    assert (old.disposition, old.severity) == (Disposition.ALERT, Severity.CRITICAL)


def test_a_rule_that_speaks_of_it_has_the_last_word() -> None:
    old = judged(Access.ROTATED, rules=SPEAKS)
    assert (old.disposition, old.severity, old.reason) == (
        *(Disposition.LOGGED, Severity.INFO),
        "We clean up on Friday.",
    )
    risen = judged(Access.SUDDEN_RISE, rules=SPEAKS)
    assert (risen.rule, risen.severity) == ("policy.yaml:rest", Severity.MEDIUM)


def test_the_unusual_credential_of_a_request_is_judged_on_its_own() -> None:
    plain, old = match(type="known-value", fingerprint="aa"), match(type="known-value", fingerprint="bb")
    finding = send(plain, replace(old, access=Access.ROTATED), host="127.0.0.1")
    verdict = load_policy(home=None, workspace=None).judge(finding, CONTEXT)
    assert (verdict.disposition, verdict.severity) == (Disposition.ALERT, Severity.LOW)


def test_an_event_keeps_what_was_unusual_and_old_events_had_nothing() -> None:
    finding = replace(READ, matches=(replace(KEY, access=Access.NEW_READER),))
    told = event_to_json(Event(1, finding, judged(Access.NEW_READER)))
    assert told["matches"][0]["access"] == "new-reader"
    assert event_from_json(told).finding.matches == finding.matches
    del told["matches"][0]["access"]
    assert event_from_json(told).finding.matches == (KEY,)
