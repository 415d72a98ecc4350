"""Flows: which read a send came from. Reach: what an unseen connection could have carried."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agentguard.detect.flow import FlowTracker, Source
from agentguard.detect.reach import Reach
from agentguard.model.attributed import Attributed
from agentguard.model.observation import ConnectObservation
from agentguard.model.process import Ancestor, Attribution, Confidence, ProcessSnapshot

S = 1_000_000_000


def test_the_most_recent_read_before_the_send() -> None:
    flows = FlowTracker()
    for second, uid in ((1, "a"), (3, "b"), (9, "c")):
        flows.read("s", ["f"], Source.READ, uid, second * S)
    flow = flows.flow("s", ["f"], 5 * S)
    assert flow is not None
    assert (flow.read, flow.seconds, flow.fingerprint) == ("b", 2.0, "f")


def test_a_read_before_an_inheritance() -> None:
    flows = FlowTracker()
    flows.read("s", ["f"], Source.INHERIT, "inherit", 3 * S)
    assert flows.flow("s", ["f"], 5 * S).read == "inherit"  # type: ignore[union-attr]
    flows.read("s", ["g"], Source.READ, "read", 1 * S)
    flow = flows.flow("s", ["f", "g"], 5 * S)
    assert (flow.read, flow.fingerprint) == ("read", "g")  # type: ignore[union-attr]


def test_no_flow_from_later_from_elsewhere_or_from_nothing() -> None:
    flows = FlowTracker()
    flows.read("s", ["f"], Source.READ, "a", 5 * S)
    assert flows.flow("s", ["f"], 4 * S) is None
    assert flows.flow("t", ["f"], 6 * S) is None
    assert flows.flow("s", ["g"], 6 * S) is None
    assert flows.flow("s", [], 6 * S) is None
    assert flows.flow("s", ["f"], 5 * S) is not None


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=200), st.integers(0, 1000))
def test_of_many_reads_in_any_order(times: list[int], sent: int) -> None:
    flows = FlowTracker()
    for time in times:
        flows.read("s", ["f"], Source.READ, str(time), time)
    flow = flows.flow("s", ["f"], sent)
    before = [time for time in times if time <= sent]
    assert (flow is not None) == bool(before) or len(times) > 64
    if flow is not None:
        assert int(flow.read) <= sent
        assert len(times) > 64 or int(flow.read) == max(before)


def process(pid: int) -> ProcessSnapshot:
    return ProcessSnapshot(pid=pid, exe="/usr/bin/x")


def connection(pid: int, ancestors: tuple[int, ...], time_ns: int) -> tuple[Attributed, ConnectObservation]:
    observation = ConnectObservation(
        time_ns=time_ns, sensor="seccomp", process=process(pid), confidence=Confidence.EXACT_HELD, address="192.0.2.1",
        port=9, transport="tcp",
    )  # fmt: skip
    chain = tuple(Ancestor(ancestor, "sh") for ancestor in ancestors)
    who = Attributed(
        observation=observation, session="s", agent="claude", attribution=Attribution.EXACT, ancestors=chain
    )
    return who, observation


def test_nothing_read_is_within_nobodys_reach() -> None:
    reach = Reach()
    assert not reach.within("s", process(5), (1,), 9 * S)
    assert not reach.within("s", None, (), 9 * S)


def test_what_a_child_read_goes_back_to_its_parents_and_on_from_them() -> None:
    reach = Reach()
    reach.touched("s", process(30), (20, 1), 5 * S, upward=True)  # agent 1, shell 20, cat 30
    assert reach.within("s", process(30), (20, 1), 5 * S)
    assert reach.within("s", process(31), (20, 1), 6 * S), "the other end of the pipeline"
    assert reach.within("s", process(41), (40, 1), 6 * S), "what the agent starts with what it was shown"
    assert not reach.within("s", process(41), (40, 1), 4 * S), "before it was read"
    assert not reach.within("s", process(7), (6,), 6 * S), "a process of another tree"
    assert not reach.within("t", process(30), (20, 1), 6 * S), "another session"
    assert reach.within("s", None, (), 6 * S), "an unknown process may be any"


def test_an_ordinary_reader_keeps_it_to_itself_and_its_children() -> None:
    reach = Reach()
    reach.touched("s", process(30), (20, 1), 5 * S, upward=False)  # git reads its login
    assert reach.within("s", process(30), (20, 1), 6 * S)
    assert reach.within("s", process(50), (30, 20, 1), 6 * S)
    assert not reach.within("s", process(41), (40, 1), 6 * S)


def test_an_unknown_reader_may_have_handed_it_to_anyone() -> None:
    reach = Reach()
    reach.touched("s", None, (), 5 * S, upward=True)
    assert reach.within("s", process(9), (1,), 6 * S)


def test_a_pipeline_that_connects_before_it_reads() -> None:
    reach = Reach()
    nc, stranger, long_ago = connection(31, (20, 1), 5 * S), connection(99, (98, 1), 5 * S), connection(32, (20, 1), 1)
    for one in (nc, stranger, long_ago):
        reach.remember(*one)
    assert reach.touched("s", process(30), (20, 1), 6 * S, upward=True) == [nc]
    assert reach.touched("s", process(30), (20, 1), 6 * S, upward=True) == [], "said once"


def test_a_connection_kept_open_until_its_owner_reads() -> None:
    reach = Reach()
    own = connection(30, (20, 1), 1)
    reach.remember(*own)
    assert reach.touched("s", process(30), (20, 1), 600 * S, upward=True) == [own]
