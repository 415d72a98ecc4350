"""A dashboard that is out of sight calls its person back, and one that was opened for a session leaves with it."""

from __future__ import annotations

import dataclasses
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pilots import make_app, until
from record_builders import make_home, session
from textual.events import AppBlur, AppFocus

from agentguard.model.verdict import Outcome
from agentguard.record.writer import Writer
from agentguard.show.tui.attention import EVERY_SECONDS, Attention
from agentguard.show.tui.messages import Snapshot

TERMINAL = {"TERM": "xterm-256color"}


def looked(attention: Attention, *sessions: object, now: float = 100, in_sight: bool = False, **more: object) -> str:
    return attention.call(Snapshot(sessions=sessions, **more), in_sight=in_sight, now=now)  # type: ignore[arg-type]


LEAKED = session(outcome=Outcome.LEAKED, outcome_reason="A key went to paste.example.")


def test_what_was_there_at_first_is_no_news() -> None:
    assert looked(Attention(TERMINAL), LEAKED) == ""


def test_a_leak_calls_once() -> None:
    attention = Attention(TERMINAL)
    assert looked(attention, session()) == ""
    called = looked(attention, LEAKED)
    assert called == "\a\x1b]9;AgentGuard: Claude Code: LEAKED. A key went to paste.example.\x1b\\"
    assert looked(attention, LEAKED, now=1000) == ""


def test_who_looks_is_not_called() -> None:
    attention = Attention(TERMINAL)
    looked(attention, session())
    assert looked(attention, LEAKED, in_sight=True) == ""
    assert looked(attention, LEAKED) == "", "it has been seen"


@pytest.mark.parametrize(
    "worse",
    [
        {"sessions": (session(outcome=Outcome.EXPOSED),)},
        {"sessions": (session(counts={"blocked": 1}),)},
        {"sessions": (session(),), "died": frozenset({"s-one"})},
        {"sessions": (session(), dataclasses.replace(LEAKED, uid="s-two"))},
    ],
)
def test_what_needs_a_person(worse: dict[str, object]) -> None:
    attention = Attention(TERMINAL)
    looked(attention, session())
    assert attention.call(Snapshot(**worse), in_sight=False, now=1).startswith("\a")  # type: ignore[arg-type]


def test_what_can_wait_calls_nobody() -> None:
    attention = Attention(TERMINAL)
    looked(attention, session())
    unknown = session(outcome=Outcome.UNKNOWN, counts={"alerts": 5, "reads": 9})
    assert looked(attention, unknown, session("s-two")) == ""


def test_a_flood_calls_once_in_a_while() -> None:
    attention = Attention(TERMINAL)
    looked(attention, session())
    calls = [looked(attention, session(counts={"blocked": second}), now=second) for second in range(1, 62)]
    assert len([text for text in calls if text]) == 1 + 60 // EVERY_SECONDS


def test_a_hostile_name_rings_and_does_nothing_else() -> None:
    attention = Attention(TERMINAL)
    looked(attention, session())
    text = looked(attention, dataclasses.replace(LEAKED, uid="x", agent_name="\x07\x1b]52;c;aGk=\x07\u202e"))
    assert text.count("\a") == 1
    assert text.count("\x1b") == 2
    assert "\u202e" not in text


class Calls(Attention):
    """Keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(TERMINAL)
        self.seen: list[tuple[bool, str]] = []

    def call(self, snapshot: Snapshot, *, in_sight: bool, now: float) -> str:
        text = super().call(snapshot, in_sight=in_sight, now=now)
        self.seen.append((in_sight, text))
        return text


async def test_the_dashboard_knows_whether_it_is_looked_at(tmp_path: Path) -> None:
    folder = make_home(tmp_path)
    writer = Writer(folder)
    writer.start()
    writer.begin_session(session())
    assert writer.flush(5)
    calls = Calls()
    app = make_app(folder.database, attention=calls)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: calls.seen)
        app.post_message(AppBlur())
        await until(pilot, lambda: not app.app_focus)
        writer.update_session(LEAKED)
        await until(pilot, lambda: any(text for _, text in calls.seen), "the call")
        assert next(sight for sight, text in calls.seen if text) is False
        app.post_message(AppFocus())
        await until(pilot, lambda: app.app_focus)
    writer.close()


@pytest.mark.parametrize(
    ("outcome", "leaves"), [(Outcome.CLEAN, True), (Outcome.LEAKED, False), (Outcome.UNKNOWN, False)]
)
async def test_it_leaves_when_its_session_ended_clean(tmp_path: Path, outcome: Outcome, leaves: bool) -> None:
    folder = make_home(tmp_path)
    writer = Writer(folder)
    writer.start()
    app = make_app(folder.database, session="s-one", leave_when_clean=True)
    async with app.run_test(size=(80, 24)) as pilot:
        writer.begin_session(session())
        await until(pilot, lambda: app.snapshot.chosen is not None, "the session that had not begun yet")
        assert app.is_running
        writer.end_session(session(outcome=outcome, end_ns=session().start_ns + 5))
        if leaves:
            await until(pilot, lambda: app._exit, "its end")
        else:
            await until(pilot, lambda: app.snapshot.chosen is not None and app.snapshot.chosen.seal, "the seal")
            assert not app._exit
    writer.close()


@pytest.mark.slow
def test_a_real_terminal_that_lost_the_focus_is_rung(tmp_path: Path) -> None:
    """The program itself on a pseudo-terminal, which says that its window is no longer in front."""
    folder = make_home(tmp_path)
    writer = Writer(folder)
    writer.start()
    writer.begin_session(session())
    assert writer.flush(5)
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "agentguard", "tui", "--home", str(folder.root)],
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    try:
        assert "\x1b[?1004h" in shown_until(controller, "no gaps"), "it asks to be told of the focus"
        os.write(controller, b"\x1b[O")

        def leak_again() -> None:  # one that comes before it has read that is no news
            writer.begin_session(dataclasses.replace(LEAKED, uid=f"s-{time.monotonic_ns()}"))

        shown = shown_until(controller, "]9;AgentGuard: Claude Code: LEAKED", leak_again)
        assert "\a\x1b]9;" in shown
    finally:
        process.kill()
        process.wait()
        os.close(controller)
        writer.close()


def shown_until(controller: int, wanted: str, again: Callable[[], None] = lambda: None) -> str:
    """What a program writes to its terminal, until it has written that. `again` is called when it falls silent."""
    shown, deadline = b"", time.monotonic() + 60
    while wanted.encode() not in shown:
        assert time.monotonic() < deadline, shown[-2000:]
        if select.select([controller], [], [], 0.5)[0]:
            shown += os.read(controller, 65_536)
        else:
            again()
    return shown.decode(errors="replace")
