"""What the dashboard may do: each thing is done to a real home folder, and can be taken back."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest
from record_builders import FINGERPRINT, START, make_home, process, read, record_walk, session

from agentguard.config import Home
from agentguard.dashboard import dashboard_actions
from agentguard.errors import PolicyError, StoreError
from agentguard.judge.load import REPOSITORY_POLICY, TrustStore, load_file
from agentguard.model.event import Event
from agentguard.model.verdict import Disposition, Outcome
from agentguard.record.reader import Field, Mark, Reader, Term
from agentguard.record.verify import verify
from agentguard.record.writer import Writer
from agentguard.show.tui.actions import Actions

IS_MARKED = (Term(Field.IS, ("seen", "expected")),)


@pytest.fixture
def guard_home(tmp_path: Path) -> Home:
    home = make_home(tmp_path)
    writer = Writer(home)
    writer.start()
    record_walk(writer)
    writer.append(*read(4, session="s-one"))
    writer.append(*read(5, session="s-one", process=process(name="cat")))
    writer.append(*read(6, session="s-one", path="/home/dev/src/shop/.env.local"))
    writer.flush(20)
    writer.close()
    return home


@pytest.fixture
def actions(guard_home: Home) -> Actions:
    return dashboard_actions(guard_home, clock=lambda: START)


@pytest.fixture
def reader(guard_home: Home):
    with contextlib.closing(Reader(guard_home.database)) as reader:
        yield reader


def event(reader: Reader, number: int) -> Event:
    found = reader.event(f"s-one-e{number}")
    assert found is not None
    return found


def marked(reader: Reader) -> list[str]:
    return [one.finding.uid for one in reader.events(terms=IS_MARKED)]


def test_seen_is_a_mark_beside_the_chain(actions: Actions, reader: Reader, guard_home: Home) -> None:
    undo = actions.mark_seen(event(reader, 1), True)
    assert marked(reader) == ["s-one-e1"]
    assert reader.marked("s-one-e1").mark is Mark.SEEN
    assert reader.marked("s-one-e2") is None
    assert verify(guard_home).problems == ()
    undo()
    assert marked(reader) == []
    again = actions.mark_seen(event(reader, 1), True)
    actions.mark_seen(event(reader, 1), False)()
    assert marked(reader) == ["s-one-e1"]
    again()
    assert marked(reader) == []


def test_an_event_that_was_purged_cannot_be_marked(actions: Actions, reader: Reader) -> None:
    from dataclasses import replace

    gone = event(reader, 1)
    with pytest.raises(StoreError, match="purged"):
        actions.mark_seen(replace(gone, finding=replace(gone.finding, uid="gone")), True)


def test_marks_and_a_running_sessions_writer_share_the_database(
    actions: Actions, reader: Reader, guard_home: Home
) -> None:
    writer = Writer(guard_home)
    writer.start()
    writer.begin_session(session("s-two", start_ns=START))

    def record() -> None:
        for number in range(1, 2001):
            writer.append(*read(number, session="s-two"))

    thread = threading.Thread(target=record)
    thread.start()
    chosen = event(reader, 1)
    for _ in range(20):
        actions.mark_seen(chosen, True)
        actions.mark_seen(chosen, False)
    actions.mark_seen(chosen, True)
    thread.join()
    assert writer.flush(30)
    assert writer.end_session(session("s-two", start_ns=START, end_ns=START + 1))
    writer.close()
    assert (writer.lost, reader.count_events("s-two"), marked(reader)) == (0, 2000, ["s-one-e1"])
    assert verify(guard_home).problems == ()


def test_rotated_can_be_taken_back(actions: Actions, reader: Reader) -> None:
    undo = actions.mark_rotated(FINGERPRINT, True)
    assert reader.rotated() == (FINGERPRINT,)
    actions.mark_rotated(FINGERPRINT, False)()
    assert reader.credential(FINGERPRINT).rotated_ns == START
    undo()
    assert reader.rotated() == ()


def test_what_is_expected_becomes_a_rule_that_is_shown_first(
    actions: Actions, reader: Reader, guard_home: Home
) -> None:
    chosen = event(reader, 1)
    proposed = actions.propose(chosen)
    assert not guard_home.policy.exists()
    assert (proposed.name, proposed.path) == ("policy.yaml:expected-read-env", guard_home.policy)
    assert (proposed.reach.count, proposed.reach.complete) == (2, True)
    assert [one.finding.uid for one in proposed.reach.others] == ["s-one-e4"]
    undo = actions.expect(chosen, proposed)
    assert [rule.id for rule in load_file(guard_home.policy).rules] == ["expected-read-env"]
    assert reader.marked("s-one-e1").rule == proposed.name
    assert marked(reader) == ["s-one-e1"]
    explained = actions.explain(chosen)
    assert (explained.rule, explained.disposition) == (proposed.name, Disposition.IGNORED)
    undo()
    assert not guard_home.policy.exists()
    assert marked(reader) == []
    assert actions.explain(chosen).rule != proposed.name


def test_a_leak_may_be_expected_and_stays_on_record(actions: Actions, reader: Reader) -> None:
    chosen = event(reader, 2)
    proposed = actions.propose(chosen)
    assert proposed.reach.outcomes == ()
    actions.expect(chosen, proposed)
    explained = actions.explain(chosen)
    assert (explained.disposition, explained.outcome) == (Disposition.LOGGED, Outcome.CLEAN)


def test_a_policy_that_was_changed_meanwhile_is_not_written_over(
    actions: Actions, reader: Reader, guard_home: Home
) -> None:
    proposed = actions.propose(event(reader, 1))
    guard_home.policy.write_text("version: 1\nextends: strict\n")
    with pytest.raises(PolicyError, match="changed meanwhile"):
        actions.expect(event(reader, 1), proposed)
    undo = actions.expect(event(reader, 1), actions.propose(event(reader, 1)))
    guard_home.policy.write_text("version: 1\nextends: strict\n# mine\n")
    with pytest.raises(PolicyError, match="changed meanwhile"):
        undo()
    assert "# mine" in guard_home.policy.read_text()


def test_a_trusted_repositorys_rule_that_decides_first_is_named(guard_home: Home, tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    (shop / ".git").mkdir(parents=True)
    own = shop / REPOSITORY_POLICY
    own.write_text(
        "version: 1\nrules:\n- id: all-reads\n  description: All.\n  when: {kind: file}\n"
        "  then: {disposition: alert, severity: low}\n"
    )
    TrustStore(guard_home.root).trust(own, own.read_bytes())
    writer = Writer(guard_home)
    writer.start()
    writer.begin_session(session("s-shop", cwd=str(shop)))
    writer.append(*read(1, session="s-shop"))
    writer.flush(20)
    writer.close()
    actions = dashboard_actions(guard_home)
    with contextlib.closing(Reader(guard_home.database)) as reader:
        proposed = actions.propose(reader.event("s-shop-e1"))
    assert proposed.overruled_by == f"{REPOSITORY_POLICY}:all-reads"
    view = actions.policy(str(shop))
    assert view.files[0] == own
    assert view.rules[0].source == own.read_text().split("rules:\n")[1].rstrip()


def test_the_policy_is_shown_with_the_lines_of_each_rule(actions: Actions) -> None:
    view = actions.policy("")
    assert [path.name for path in view.files] == ["default.yaml"]
    leak = next(rule for rule in view.rules if rule.name.endswith(":leak-to-unknown-host"))
    lines = (view.files[0]).read_text().splitlines()
    first, *_ = leak.source.splitlines()
    assert lines[leak.line - 1].strip() == first == "- id: leak-to-unknown-host"
    assert "examples:" in leak.source
    assert leak.source.count("- id:") == 1
    assert view.note == ""


def test_why_a_verdict_is_what_it_is(actions: Actions, reader: Reader) -> None:
    explained = actions.explain(event(reader, 2))
    (part,) = explained.parts
    assert part.title == "openai-project-key in body, sent to: other"
    assert [tried.fired for tried in part.tried] == [False] * (len(part.tried) - 1) + [True]
    assert explained.rule == part.tried[-1].rule


def test_the_report_is_written_and_named(actions: Actions, guard_home: Home) -> None:
    path = actions.write_report("s-one")
    assert path.parent == guard_home.reports
    assert "s-one" in path.read_text()


def test_the_inventory_is_that_of_the_keys_verb(actions: Actions, reader: Reader) -> None:
    page = actions.keys(reader.credentials())
    assert [task.credential.fingerprint for task in page.tasks] == [FINGERPRINT]
