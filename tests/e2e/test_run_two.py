"""Several guards at once in one project: none takes what another opens, or accounts for, for a stranger's open."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from harness.guarded import AGENTGUARD, Event, Guarded, of_kind
from harness.planted import Planted, made_key

pytestmark = pytest.mark.slow
LATER = "sleep 1.2"
"""The guards' own looks are too long ago then to account for anything."""


@contextmanager
def agent(guarded: Guarded, script: str = "") -> Iterator[subprocess.Popen[str]]:
    """A guarded agent that is at work when this is entered, and ends when it is left."""
    process = subprocess.Popen(
        guarded.command("sh", "-c", f"{script} echo ready; read word", options=("--quiet",)),
        cwd=guarded.project,
        env=guarded.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.communicate("\n", timeout=30)
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def unattributed(guarded: Guarded, session: str) -> list[Event]:
    done = guarded.verb("events", "--session", session, "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return [event for event in of_kind(events, "gap") if event["gap"]["type"] == "unattributed-open"]


def test_two_guards_of_one_home_know_each_others_looks(guarded: Guarded, planted: Planted) -> None:
    """Inventory and head start, what an agent reads, and what the index workers find while both run."""
    (guarded.project / "settings.py").write_text(f'KEY = "{made_key()}"\n')
    with agent(guarded):
        time.sleep(1.2)
        with agent(guarded, f"{LATER}; cat .env settings.py > /dev/null;"):
            (guarded.project / "later.py").write_text(f'KEY = "{made_key()}"\n')
            time.sleep(1.2)
    sessions = guarded.sessions()
    assert [unattributed(guarded, session["uid"]) for session in sessions] == [[], []]
    assert [session["outcome"] for session in sessions] == ["clean", "clean"]
    assert sorted(session["counts"].get("reads", 0) for session in sessions) == [0, 2]


def test_who_is_of_neither_session_is_told_by_both(guarded: Guarded, planted: Planted) -> None:
    with agent(guarded), agent(guarded):
        time.sleep(1.3)
        planted.path.read_text()
    sessions = guarded.sessions()
    assert [len(unattributed(guarded, session["uid"])) for session in sessions] == [1, 1]
    assert {session["outcome"] for session in sessions} == {"unknown"}


def test_a_watch_beside_a_guarded_session(guarded_by_each: Guarded, planted: Planted) -> None:
    """Where the watch may not hold opens it looks for who made them, and finds that the guarded session did."""
    guarded = guarded_by_each
    watched = subprocess.Popen([*guarded.prefix, "sleep", "60"], cwd=guarded.project, env=guarded.environ)
    with agent(guarded):
        time.sleep(1.2)
        watch = subprocess.Popen(
            [*guarded.prefix, *AGENTGUARD, "watch", "--pid", str(watched.pid)],
            cwd=guarded.user_home,
            env=guarded.environ,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert watch.stderr
        assert "watching" in watch.stderr.readline()
        with agent(guarded, f"{LATER}; cat .env > /dev/null;"):
            time.sleep(1)
        watch.send_signal(signal.SIGTERM)
        watch.communicate(timeout=30)
    watched.kill()
    watched.wait()
    sessions = guarded.sessions()
    assert len(sessions) == 3
    assert [unattributed(guarded, session["uid"]) for session in sessions] == [[], [], []]
