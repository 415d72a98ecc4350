"""The outcome of a session is the worst of what its events add."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from judge_builders import CONTEXT, case, match, send

from agentguard.judge.load import load_policy
from agentguard.judge.outcome import CLEAN_REASON, OutcomeTally, session_outcome
from agentguard.model.finding import Flow
from agentguard.model.verdict import Outcome


def test_nothing_seen_is_clean() -> None:
    assert session_outcome([]) == (Outcome.CLEAN, CLEAN_REASON)


def test_the_worst_wins_with_its_first_reason() -> None:
    outcome, reason = session_outcome(
        [
            (Outcome.UNKNOWN, "A gap."),
            (Outcome.LEAKED, "A leak."),
            (Outcome.EXPOSED, "An exposure."),
            (Outcome.LEAKED, "Another leak."),
            (Outcome.LEAKED, "A third."),
            (Outcome.CLEAN, "Nothing."),
        ]
    )
    assert (outcome, reason) == (Outcome.LEAKED, "A leak (and 2 more).")


@given(st.lists(st.tuples(st.sampled_from(Outcome), st.text(min_size=1, max_size=5)), max_size=20))
def test_the_outcome_is_the_maximum_and_the_reason_belongs_to_it(events: list[tuple[Outcome, str]]) -> None:
    outcome, reason = session_outcome(events)
    assert outcome.rank == max((one.rank for one, _ in events), default=0)
    if outcome is not Outcome.CLEAN:
        first = next(text for one, text in events if one is outcome)
        assert reason.startswith(first.rstrip("."))


def test_the_tally_counts_what_a_session_shows() -> None:
    policy, tally = load_policy(home=None, workspace=None), OutcomeTally()
    read, context = case(kind="file", path="/src/.env", file_kind="dotenv", process="cat", type="x")
    leak = replace(send(match(fingerprint="a" * 32)), flow=Flow("uid", 1.0, "a" * 32))
    again = send(match(fingerprint="a" * 32), match(type="y", fingerprint="b" * 32, public=True))
    blocked = replace(send(match(fingerprint="a" * 32)), enforced_rule="policy.yaml:x")
    events = [
        read,
        leak,
        again,
        blocked,
        case(kind="command", command_rule="vault-kv-get")[0],
        case(kind="environment", type="z", process="bash")[0],
        case(kind="gap", gap="unattributed-open")[0],
        case(kind="gap", gap="io-uring", covered_by="watchdog")[0],
    ]
    for finding in events:
        tally.add(finding, policy.judge(finding, context))
    assert tally.outcome is Outcome.LEAKED
    assert "paste.example" in tally.reason
    assert tally.counts == {
        "reads": 1,
        "sends": 3,
        "flows": 1,
        "gaps": 2,
        "gaps_counted": 1,
        "alerts": 4,
        "blocked": 1,
        "commands": 1,
        "inherited": 1,
        "secrets": 2,
    }
    assert CONTEXT.session_agent == "unknown"


def test_counts_are_a_copy() -> None:
    tally = OutcomeTally()
    tally.counts["reads"] = 99
    assert tally.counts["reads"] == 0
