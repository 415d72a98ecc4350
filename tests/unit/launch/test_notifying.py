"""Notifications of a session: what is recorded goes out by a process of its own, and nobody waits for it."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from notify_builders import note, python
from record_builders import make_home, read, send, session

from agentguard.config import Home
from agentguard.launch import notifying, opening
from agentguard.launch.notifying import Notifying, NotifySetup
from agentguard.launch.request import RunRequest
from agentguard.model.finding import Finding
from agentguard.model.verdict import Verdict
from agentguard.record.reader import Reader
from agentguard.record.writer import Writer
from agentguard.show.notify.alarm import Need
from agentguard.show.notify.courier import MOST_WAITING, Courier
from agentguard.show.notify.settings import Channel, Settings
from agentguard.show.notify.told import Result, ToldFile

KEEP = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read())"
HANG = "import time; time.sleep(60)"
Judged = tuple[Finding, Verdict]


def setup(home: Home, *channels: Channel, **changes: Any) -> NotifySetup:
    settings = Settings(channels=channels, every_seconds=changes.pop("every", 60), **changes)
    return NotifySetup(settings=settings, home=home, agent_name="Claude Code", look="agentguard tui")


@contextmanager
def opened(what: NotifySetup) -> Iterator[Notifying]:
    told = Notifying(what)
    yield told
    told.close()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path)


def leak(number: int = 1) -> Judged:
    return send(number, host=f"h{number}.example")


def wait_for(what: Callable[[], Any], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def kept(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def result(home: Home, channel: str = "mine") -> Result:
    found = {one.channel: one for one in ToldFile(home.notified, 0).results()}
    return found[channel]


def test_a_quiet_session_starts_nothing(home: Home) -> None:
    with opened(setup(home, python(KEEP))) as told:
        told.offer([read(1), read(2)])
        assert told.pid == 0
        assert told.gravest is None
    assert not home.notified.exists()


def test_a_leak_goes_out_at_once_and_the_rest_at_the_end(home: Home, tmp_path: Path) -> None:
    got = tmp_path / "got"
    with opened(setup(home, python(KEEP, got))) as told:
        told.offer([read(0), leak(1)])
        first = wait_for(lambda: kept(got))
        assert [alarm["destination"] for alarm in first[0]["alarms"]] == ["h1.example"]
        told.offer([leak(2), leak(3), leak(2)])
        assert told.gravest is not None
        assert told.gravest.need is Need.LEAKED
    wait_for(lambda: len(kept(got)) == 2)
    assert [(one["destination"], one["count"]) for one in kept(got)[1]["alarms"]] == [
        ("h2.example", 2),
        ("h3.example", 1),
    ]
    wait_for(lambda: result(home).delivered)


def test_only_what_is_asked_for_is_told(home: Home, tmp_path: Path) -> None:
    got = tmp_path / "got"
    with opened(setup(home, python(KEEP, got), tell=frozenset({Need.SENSOR}))) as told:
        told.offer([leak()])
        assert told.gravest is None
        assert told.pid == 0


def test_the_end_waits_for_no_command(home: Home) -> None:
    """The process goes on with it, ends it in its time, and says so."""
    told = Notifying(setup(home, python(HANG, timeout_seconds=2)))
    told.offer([leak()])
    pid = wait_for(lambda: told.pid)
    began = time.monotonic()
    told.close()
    assert time.monotonic() - began < 2
    wait_for(lambda: "did not end within 2 s" in (home.log.read_text() if home.log.exists() else ""))
    assert not result(home).delivered
    wait_for(lambda: os.waitpid(pid, os.WNOHANG)[0] == pid)


def test_a_flood_costs_the_record_nothing_and_is_counted(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(notifying, "QUEUE_LIMIT", 10)
    got = tmp_path / "got"
    flood = [leak(number) for number in range(3000)]
    with opened(setup(home, python(KEEP, got))) as told:
        began = time.thread_time()
        told.offer(flood)
        assert time.thread_time() - began < 3
    wait_for(lambda: len(kept(got)) == 2)
    seen = sum(note["lost"] + len(note["alarms"]) + note["more"] for note in kept(got))
    assert seen == 3000, "each was told or counted"
    assert "alarms came too fast to be told one by one; all are on record" in capfd.readouterr().err


def test_a_notifier_that_died_is_replaced(home: Home, tmp_path: Path) -> None:
    got = tmp_path / "got"
    with opened(setup(home, python(KEEP, got), every=0.01)) as told:
        told.offer([leak(1)])
        wait_for(lambda: kept(got))
        first = told.pid
        os.kill(first, signal.SIGKILL)
        os.waitpid(first, 0)
        told.offer([leak(2)])
        wait_for(lambda: told.pid not in (0, first))
    wait_for(lambda: len(kept(got)) == 2)


def test_a_notification_that_cannot_be_said_silences_no_other(
    home: Home, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    got = tmp_path / "got"
    with opened(setup(home, python(KEEP, got), every=0.01)) as told:
        told.offer([leak(1 << 40)])  # a time that no calendar has
        wait_for(lambda: "notification was lost" in capfd.readouterr().err)
        told.offer([leak(2)])
        wait_for(lambda: kept(got))


def test_an_event_that_cannot_be_read_is_counted_and_not_quoted(
    home: Home, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a secret text")

    monkeypatch.setattr(notifying, "alarm_of", broken)
    with opened(setup(home, python(KEEP))) as told:
        told.offer([leak()])
    assert "secret text" not in capfd.readouterr().err


def test_the_notifier_has_none_of_the_agents_environment(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "not for you")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    got = tmp_path / "got"
    with opened(
        setup(home, python("import os, sys; open(sys.argv[1], 'w').write(repr(sorted(os.environ)))", got))
    ) as told:
        told.offer([leak()])
        pid = wait_for(lambda: told.pid)
        wait_for(lambda: got.exists() and got.read_text())
        environ = Path(f"/proc/{pid}/environ").read_text()
    for text in (got.read_text(), environ):
        assert "STRIPE" not in text
        assert "PROXY" not in text


def test_what_a_command_leaves_behind_belongs_to_the_notifier(home: Home, tmp_path: Path) -> None:
    """The supervisor would take an orphan for the agent's, and the session would not end."""
    got = tmp_path / "got"
    orphan = (
        "import os, sys, time\nme = os.getpid()\n"
        "if os.fork() == 0:\n"
        "    while os.getppid() == me: time.sleep(0.01)\n"
        "    open(sys.argv[1], 'w').write(str(os.getppid())); os._exit(0)\n"
    )
    with opened(setup(home, python(orphan, got))) as told:
        told.offer([leak()])
        pid = wait_for(lambda: told.pid)
        assert int(wait_for(lambda: got.exists() and got.read_text())) == pid


def test_quiet_is_quiet_unless_a_channel_is_named(home: Home, tmp_path: Path) -> None:
    asked = RunRequest(
        home=home.root,
        program="/bin/true",
        argv=("true",),
        environ={},
        cwd=tmp_path,
        session="s-one",
        redirects={},
        quiet=True,
    )
    assert opening._notify(asked, home).channels == ()
    named = dataclasses.replace(asked, notify=("desktop",))
    assert [channel.name for channel in opening._notify(named, home).channels] == ["desktop"]
    assert opening._notify(dataclasses.replace(asked, quiet=False), home) == Settings()


def test_events_are_handed_on_once_they_are_committed(home: Home) -> None:
    seen: list[tuple[str, bool]] = []
    reader = Reader(home.database)

    def look(judged: Any) -> None:
        seen.extend((finding.uid, reader.event(finding.uid) is not None) for finding, _ in judged)

    writer = Writer(home, on_commit=look)
    writer.start()
    writer.begin_session(session())
    writer.append(*read(1))
    writer.append(*leak(2))
    assert writer.flush(10)
    writer.close()
    reader.close()
    assert seen == [("s-one-e1", True), ("s-one-e2", True)]


# --- the courier ------------------------------------------------------------------------------------


def test_a_channel_that_hangs_holds_up_no_other_and_leaves_nothing_behind(tmp_path: Path) -> None:
    results: list[Result] = []
    got, pids = tmp_path / "got", tmp_path / "pids"
    hangs = python("import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(60)", pids)
    good = dataclasses.replace(python(KEEP, got), name="good")
    courier = Courier([dataclasses.replace(hangs, timeout_seconds=1), good], dict(os.environ), results.append)
    for number in range(1, MOST_WAITING + 7):
        courier.send(note())
        if number % 8 == 0 or number == MOST_WAITING + 6:
            wait_for(lambda number=number: len(kept(got)) >= number)
    courier.finish(1)
    assert len(kept(got)) == MOST_WAITING + 6
    *ended, given_up = [one.text for one in results if one.channel == "mine"]
    assert all(text.startswith("it did not end within") for text in ended)
    assert given_up == f"{MOST_WAITING + 6 - len(ended)} notifications were given up: the channel was too slow"
    assert not [pid for pid in pids.read_text().split() if Path(f"/proc/{pid}").exists()]
