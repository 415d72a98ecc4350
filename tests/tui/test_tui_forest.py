"""The tree of processes: nobody is lost, nothing is counted twice, whatever the record says of parents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import tui_sample as sample
from hypothesis import given
from hypothesis import strategies as st

from agentguard.model.event import Event
from agentguard.model.process import Ancestor
from agentguard.record.pulse import EVER, Pulse, Span, Touched
from agentguard.record.reader import KnownProcess
from agentguard.show.tui.forest import Forest, grown, orphans
from agentguard.show.tui.session_screen import read_forest

SHOP, SHOP_EVENTS = sample.shop_session()


def known(pid: int, parent: int = 0, start: int = 0, seen: int = 0) -> KnownProcess:
    return KnownProcess(
        pid=pid, parent_pid=parent, start_time=start or pid, name=f"p{pid}", exe="", cmdline=(), first_seen_ns=seen
    )


def nothing(pid: int, span: Span) -> Touched:
    raise AssertionError(f"pid {pid} was used once, and asked for in {span}")


def drawn(forest: Forest, *, all_of_them: bool = True) -> list[str]:
    return [f"{row.guide}{row.process.name}" for row in forest.rows((), all_of_them=all_of_them)]


def test_a_tree_is_drawn_with_its_branches() -> None:
    processes = [known(1), known(2, 1), known(3, 2), known(4, 1), known(9)]
    forest = grown(processes, [Touched(3, 1, reads=1)], [], nothing)
    assert drawn(forest) == ["p1", "├─ p2", "│  └─ p3", "└─ p4", "p9"]
    assert drawn(forest, all_of_them=False) == ["p1", "└─ p2", "   └─ p3"], "what touched nothing is left out"
    assert [row.process.pid for row in forest.rows({(2, 2)}, all_of_them=True)] == [1, 2, 4, 9]


@given(
    st.lists(
        st.tuples(st.integers(1, 30), st.integers(0, 30), st.integers(0, 5)),
        max_size=60,
        unique_by=lambda one: one[::2],
    )
)
def test_whatever_is_on_record_every_process_is_drawn_once(lines: list[tuple[int, int, int]]) -> None:
    processes = [
        KnownProcess(pid=pid, parent_pid=parent, start_time=start, name="x", exe="", cmdline=(), first_seen_ns=start)
        for pid, parent, start in lines
    ]
    touched = [Touched(pid, 1, sends=1) for pid in {pid for pid, _, _ in lines}]
    forest = grown(processes, touched, [], lambda pid, span: Touched(pid, 1, sends=1))
    rows = list(forest.rows((), all_of_them=True))
    assert sorted(row.key for row in rows) == sorted((pid, start) for pid, _, start in lines)
    assert sum(forest.below[key].sends for key in forest.roots) == len(rows)


def test_a_pid_that_was_used_twice_is_two_processes() -> None:
    processes = [known(1), known(7, 1, 10, 1_000), known(7, 1, 20, 5_000)]
    asked: list[Span] = []

    def of_span(pid: int, span: Span) -> Touched:
        asked.append(span)
        return Touched(pid, 1, reads=len(asked))

    forest = grown(processes, [Touched(7, 2, reads=3)], [], of_span)
    assert asked == [(0, 5_000), (5_000, EVER[1])]
    assert [forest.own[7, start].reads for start in (10, 20)] == [1, 2]
    assert [row.span for row in forest.rows((), all_of_them=False) if row.own.events] == asked


def test_an_event_names_parents_that_are_not_on_record() -> None:
    finding, verdict = SHOP_EVENTS[-1]
    process = finding.process
    assert process is not None
    alone = replace(process, ancestors=(Ancestor(50, "bash"), Ancestor(40, "claude")))
    told = Event(1, replace(finding, process=alone), verdict)
    touched = [Touched(process.pid, 1, sends=1, last_id=77)]
    assert orphans([], touched) == [77]
    assert drawn(grown([], touched, [told], nothing)) == ["claude", "└─ bash", "   └─ curl"]
    assert drawn(grown([], touched, [], nothing)) == [""], "without an event to tell, it is there all the same"


def test_a_chain_of_ten_thousand_is_no_trouble() -> None:
    forest = grown([known(pid, pid - 1) for pid in range(1, 10_001)], [Touched(10_000, 1, reads=1)], [], nothing)
    assert forest.below[1, 1].reads == 1
    assert len(list(forest.rows((), all_of_them=False))) == 10_000


def test_the_database_tells_the_same(database: Path) -> None:
    with_counts = {}
    pulse = Pulse(database)
    for row in read_forest(pulse, SHOP.uid).rows((), all_of_them=True):
        with_counts[row.process.name, row.process.pid] = (row.own.reads, row.own.sends, row.own.flows)
        ids = pulse.ids_of_process(SHOP.uid, row.process.pid, row.span, 1000)
        assert len(ids) == row.own.events
        assert ids == sorted(ids, reverse=True)
    pulse.close()
    wanted: dict[tuple[str, int], tuple[int, int, int]] = {}
    for finding, _ in SHOP_EVENTS:
        assert finding.process is not None
        at = finding.process.name, finding.process.pid
        reads, sends, flows = wanted.get(at, (0, 0, 0))
        wanted[at] = (
            reads + (finding.activity == "read"),
            sends + (finding.activity == "send"),
            flows + (finding.flow is not None),
        )
    assert {at: counts for at, counts in with_counts.items() if at in wanted} == wanted
    assert {at for at in with_counts if at not in wanted} == {("claude", 48213), ("npm", 48240), ("bash", 48311)}
