"""`agentguard watch` on agents that already run: real processes, looked for below this test alone."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from harness.guarded import AGENTGUARD, Event, Guarded, of_kind
from harness.hurry import hurry_index
from harness.ordinary_user import ordinary_user_prefix
from harness.planted import Planted
from notify_builders import on_terminal

from agentguard.errors import SensorError
from agentguard.sense.attach.fanotify_abi import Group

pytestmark = pytest.mark.slow
ORPHAN = "(setsid sh -c 'sleep 0.5; cat .env > /dev/null; sleep 0.2' &) ; "


CRITICAL = """\
version: 1
rules:
  - id: no-dotenv
    when: {kind: file, activity: read, path: "**/.env"}
    then: {disposition: alert, severity: critical, reason: "{process} read {subject}."}
"""


def holds_opens() -> bool:
    """Whether fanotify is allowed here."""
    try:
        Group().close()
    except SensorError:
        return False
    return True


needs_fanotify = pytest.mark.skipif(not holds_opens(), reason="fanotify needs root or CAP_SYS_ADMIN")


@dataclass
class Agent:
    """A stand-in called `claude`, that waits for a word before it begins."""

    process: subprocess.Popen[str]

    def begin(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.close()

    def end(self) -> int:
        self.begin()
        return self.process.wait(60)


@contextmanager
def agent(guarded: Guarded, script: str) -> Iterator[Agent]:
    """Below a process of its own, so that each test looks below its own agent's parent."""
    shell = "exec -a claude sh -c 'read word; . ./agent.sh'"
    (guarded.project / "agent.sh").write_text(script)
    environ = {"PATH": os.environ["PATH"], "HOME": str(guarded.user_home), "AGENT_TOKEN_OF_TEST": "none"}
    process = subprocess.Popen(
        [*guarded.prefix, "bash", "-c", shell],
        cwd=guarded.project,
        env=environ,
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield Agent(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)


@contextmanager
def watching(guarded: Guarded, *options: str, lines: int = 4) -> Iterator[subprocess.Popen[str]]:
    """Attached, when this is entered: it has said so, in `lines` lines."""
    words = ("--under", str(os.getpid()), *options) if "--pid" not in options else options
    process = subprocess.Popen(
        [*guarded.prefix, *AGENTGUARD, "watch", *words],
        cwd=guarded.user_home,
        env=guarded.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    try:
        said = [process.stderr.readline() for _ in range(lines)]
        assert "watching Claude Code" in said[0] or lines == 1, said
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=10)


def stop(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> int:
    process.send_signal(number)
    stdout: IO[str] | None = process.stdout
    status = process.wait(60)
    assert stdout
    assert stdout.read() == "", "stdout is data"
    return status


def until_sealed(guarded: Guarded) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        (session,) = guarded.sessions()
        if session["end"] is not None:
            return session
        time.sleep(0.2)
    raise AssertionError("the session was not sealed")


def reads(guarded: Guarded) -> list[Event]:
    return of_kind(guarded.events(), "file")


def gaps(guarded: Guarded) -> dict[str, Event]:
    return {event["gap"]["type"]: event["gap"] for event in of_kind(guarded.events(), "gap")}


@needs_fanotify
def test_a_whole_tree_and_what_comes_later(guarded: Guarded, planted: Planted) -> None:
    script = (
        "cat .env > /dev/null\n" + ORPHAN + "sleep 1\n"
        "echo NEW_TOKEN=abcdefghijklmnopqrstuvwx123 > .env.local; sleep 0.3; sh -c 'cat .env.local; true' > /dev/null\n"
        "cp .env .env.new; mv .env.new .env; cat .env > /dev/null\n"
        "ln .env /tmp/link-$$; cat /tmp/link-$$ > /dev/null; rm /tmp/link-$$\n"
        "exit 7\n"
    )
    with agent(guarded, script) as claude, watching(guarded) as watch:
        assert claude.end() == 7
        session = until_sealed(guarded)
        assert stop(watch) == 0
    assert (session["agent"], session["end_reason"], session["exit_status"]) == ("claude", "exited", None)
    assert session["root_pid"] == claude.process.pid
    told = [
        (event["path"].rpartition("/")[2], event["process"]["name"], event["confidence"]) for event in reads(guarded)
    ]
    assert told.count((".env", "cat", "exact-held")) == 4
    assert (".env.local", "cat", "exact-held") in told
    assert (".env", "cp", "exact-held") in told
    assert len(told) == 6, "the shell that wrote .env.local did not read it"
    assert all(event["process"]["ancestors"][-1]["pid"] == claude.process.pid for event in reads(guarded))
    assert session["outcome"] == "unknown"
    assert gaps(guarded).keys() == {"network-unseen"}
    assert "agentguard run" in gaps(guarded)["network-unseen"]["remedy"]
    proved = {one["sensor"] for one in session["coverage"] if one["proved"]}
    assert {"fanotify", "proc-connector", "watchdog", "inotify"} <= proved
    assert guarded.verb("verify").returncode == 0
    assert guarded.left_behind() == []


@needs_fanotify
def test_every_one_of_many_is_known_exactly(guarded: Guarded, planted: Planted) -> None:
    one = "echo $$ >> ../pids; exec cat .env > /dev/null"
    (guarded.project / "one.sh").write_text(one)
    script = "i=0; while [ $i -lt 200 ]; do sh one.sh; i=$((i+1)); done; seq 400 | xargs -P8 -n1 sh one.sh\n"
    with agent(guarded, script) as claude, watching(guarded) as watch:
        assert claude.end() == 0
        until_sealed(guarded)
        assert stop(watch) == 0
    truth = sorted(map(int, (guarded.project.parent / "pids").read_text().split()))
    told = reads(guarded)
    assert sorted(event["process"]["pid"] for event in told) == truth
    assert {(event["process"]["name"], event["confidence"]) for event in told} == {("cat", "exact-held")}


@needs_fanotify
def test_an_open_by_anyone_else_is_nothing(guarded: Guarded, planted: Planted) -> None:
    with agent(guarded, "true\n") as claude, watching(guarded) as watch:
        planted.path.read_text()
        time.sleep(1.2)
        assert claude.end() == 0
        session = until_sealed(guarded)
        assert stop(watch) == 0
    assert session["outcome"] == "clean"
    assert reads(guarded) == []
    assert not gaps(guarded)["network-unseen"]["counts"], "nothing was read, so nothing can have left"


def test_as_an_ordinary_user(base: Path, guarded_by_user: Guarded, planted_by_user: Planted) -> None:
    guarded = guarded_by_user
    script = (
        "for i in 1 2 3 4 5 6 7 8 9 10; do cat .env > /dev/null; sleep 0.05; done; exec 3< .env; sleep 0.4; exec 3<&-\n"
        + "(setsid sh -c 'sleep 0.3; exec 4< .env; sleep 0.4' &); sleep 1\n"
    )
    with agent(guarded, script) as claude, watching(guarded) as watch:
        assert claude.end() == 0
        session = until_sealed(guarded)
        assert stop(watch) == 0
    told = reads(guarded)
    assert {event["confidence"] for event in told} <= {"fd-seen", "probable"}
    assert all(event["attribution"] == "inferred" for event in told)
    held = [event for event in told if event["process"]["pid"] == claude.process.pid]
    assert [event["confidence"] for event in held] == ["fd-seen"], "the agent's own read, while it held the file"
    cats = [event for event in told if event["process"]["pid"] != claude.process.pid]
    orphans = [event for event in cats if len(event["process"]["ancestors"]) > 1]
    assert [event["confidence"] for event in orphans] == ["fd-seen"], "with the parents it lost"
    assert {event["process"]["name"] for event in cats if event not in orphans} <= {"cat", ""}, "nobody else is blamed"
    assert len(cats) >= 3, "of eleven; measured: eight in ten on an idle machine"
    sensors = {one["sensor"]: one for one in session["coverage"]}
    assert sensors["fanotify"]["state"] == "unavailable"
    assert sensors["psutil"]["proved"]
    assert session["outcome"] == "unknown"


def test_leases_hold_the_opener(guarded_by_user: Guarded, planted_by_user: Planted) -> None:
    guarded = guarded_by_user
    script = "for i in 1 2 3 4 5; do cat .env; sleep 0.2; done | wc -l > lines\n"
    with agent(guarded, script) as claude, watching(guarded, "--hold") as watch:
        assert claude.end() == 0
        session = until_sealed(guarded)
        assert stop(watch) == 0
    assert (guarded.project / "lines").read_text().strip() == "25", "the agent had all that it read"
    told = reads(guarded)
    exact = [event for event in told if event["confidence"] == "exact-held"]
    assert len(exact) >= 4, told
    assert {event["process"]["name"] for event in exact} == {"cat"}
    assert {one["sensor"]: one for one in session["coverage"]}["lease"]["proved"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_stopped_watch_seals_and_leaves_the_agent_alone(
    guarded: Guarded, planted: Planted, number: int, status: int
) -> None:
    with agent(guarded, "cat .env > /dev/null; sleep 0.2; exit 9\n") as claude:
        with watching(guarded) as watch:
            assert stop(watch, number) == status
        (session,) = guarded.sessions()
        assert session["end_reason"] == "the watch was stopped"
        assert session["outcome"] == "clean"
        assert [event for event in guarded.events() if "goes on unwatched" in event["subject"]]
        assert claude.process.poll() is None
        assert claude.end() == 9
    assert guarded.verb("verify").returncode == 0


def test_a_killed_watch_is_a_gap_at_the_next_start(guarded: Guarded, planted: Planted) -> None:
    with agent(guarded, "cat .env; exit 3\n") as claude:
        with watching(guarded) as watch:
            watch.kill()
            watch.wait(10)
        assert claude.end() == 3, "whoever waits is let go by the kernel"
    assert guarded.run("true").returncode == 0
    left = next(one for one in guarded.sessions() if one["agent"] == "claude")
    assert (left["outcome"], left["end_reason"]) == ("unknown", "guard-died")
    assert guarded.left_behind() == []


@pytest.mark.parametrize("user", ["as we are", "as an ordinary user"])
def test_a_folder_that_comes_later(request: pytest.FixtureRequest, user: str) -> None:
    own = user == "as we are"
    guarded: Guarded = request.getfixturevalue("guarded" if own else "guarded_by_user")
    made = "mkdir -p a/b; echo T=abcdefghijklmnopqrstuvwx123 > a/b/.env"
    script = f"{made}; until [ -e enough ]; do exec 3< a/b/.env; sleep 0.6; done\n"

    def is_told() -> bool:
        told = [event for event in reads(guarded) if event["path"].endswith("a/b/.env")]
        return claude.process.pid in {event["process"]["pid"] for event in told}

    with agent(guarded, script) as claude, watching(guarded) as watch:
        claude.begin()
        deadline = time.monotonic() + 60
        while not is_told():
            assert time.monotonic() < deadline, "the folder was not taken in"
            hurry_index(watch.pid)
            time.sleep(0.3)
        (guarded.project / "enough").touch()
        assert claude.process.wait(60) == 0
        until_sealed(guarded)
        assert stop(watch) == 0


def test_what_it_refuses_and_what_it_waits_for(guarded: Guarded, planted: Planted) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    for words, error in (
        (("--pid", str(gone.pid)), "there is no such process"),
        (("--agent", "nobody", "--under", str(os.getpid())), "there is no agent 'nobody'"),
        (("--pid", str(os.getpid()), "--agent", "claude"), "--pid names the process"),
    ):
        done = guarded.verb("watch", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert error in done.stderr
        assert len(done.stderr.splitlines()) == 1
    with watching(guarded, lines=1) as watch:
        with agent(guarded, "sleep 3\n") as claude:
            assert watch.stderr
            assert f"(pid {claude.process.pid})" in watch.stderr.readline(), "it came later, and was found"
        assert stop(watch) == 0


def test_a_guarded_agent_is_left_alone(guarded: Guarded, planted: Planted) -> None:
    run = subprocess.Popen(
        guarded.command("bash", "-c", "exec -a claude sh -c 'echo; sleep 2'"),
        cwd=guarded.project,
        env=guarded.environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout
    run.stdout.readline()
    with watching(guarded, lines=1) as watch:
        time.sleep(1.5)
        assert stop(watch) == 0
    assert run.wait(30) == 0
    assert len(guarded.sessions()) == 1


@needs_fanotify
def test_run_without_the_filter_lets_programs_gain_privilege(guarded: Guarded, planted: Planted) -> None:
    done = guarded.run(
        "sh", "-c", "grep NoNewPrivs /proc/self/status; cat .env > /dev/null", options=("--allow-privileged",)
    )
    assert done.stdout.split() == ["NoNewPrivs:", "0"]
    assert "--allow-privileged" in done.stderr
    (read,) = reads(guarded)
    assert (read["confidence"], read["process"]["name"]) == ("exact-held", "cat")
    assert gaps(guarded)["network-unseen"]["counts"]
    assert guarded.sessions()[0]["outcome"] == "unknown"


@pytest.fixture
def guarded_by_user(base: Path) -> Guarded:
    project, user_home = base / "project", base / "user"
    for folder in (project, user_home, base / "tmp"):
        folder.mkdir()
        folder.chmod(0o777)
    return Guarded(home=base / "home", project=project, user_home=user_home, prefix=ordinary_user_prefix())


@pytest.fixture
def planted_by_user(guarded_by_user: Guarded) -> Iterator[Planted]:
    from harness.planted import plant

    secrets = plant(guarded_by_user.project)
    if os.getuid() == 0:
        os.chown(secrets.path, 65534, 65534)
    yield secrets
    assert secrets.found_below(guarded_by_user.home) == []


def test_what_needs_a_person_is_told_on_the_watchs_own_terminal(guarded: Guarded, planted: Planted) -> None:
    """A line among its own, and a bell: nobody else writes there."""
    (guarded.home / "policy.yaml").write_text(CRITICAL)
    with agent(guarded, "cat .env > /dev/null; sleep 0.3; cat .env > /dev/null; sleep 0.3\n") as claude:
        words = [*AGENTGUARD, "watch", "--pid", str(claude.process.pid)]
        watch, terminal = on_terminal(words, guarded.environ, cwd=guarded.user_home)
        try:
            assert "\a" not in heard(terminal, "network ")
            claude.begin()
            said = heard(terminal, "report ")
        finally:
            watch.kill()
            watch.wait()
            os.close(terminal)
    lines = said.replace("\r", "").replace("\a", "\n\a").split("\n")
    title = next(line for line in lines if line.startswith("agentguard: Critical: "))
    bells = [line for line in lines if "\a" in line]
    assert len(bells) == 1, "the same thing is told once"
    assert bells[0].startswith(f"\a\x1b]9;AgentGuard: {title.removeprefix('agentguard: ')}\x1b\\")
    assert not [value for value in planted.values if value in said]


def heard(terminal: int, wanted: str, seconds: float = 60) -> str:
    """What a program says on its terminal, until that."""
    said, deadline = "", time.monotonic() + seconds
    while wanted not in said:
        assert time.monotonic() < deadline, said
        if select.select([terminal], [], [], 0.1)[0]:
            said += os.read(terminal, 65_536).decode(errors="replace")
    return said
