"""The main job: what the agent's tree reads is recorded, exactly, and can be read back in the words scripts rely on."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from harness.guarded import Guarded, of_kind
from harness.planted import Planted, plant

pytestmark = pytest.mark.slow


def test_a_read_is_recorded_with_its_whole_chain(guarded_by_each: Guarded, planted: Planted) -> None:
    guarded = guarded_by_each
    done = guarded.shell("sh -c 'echo $$ > pid; exec cat .env'; exit 7")
    assert done.returncode == 7, done.stderr
    assert planted.openai in done.stdout, "the agent gets what it asked for"
    (read,) = of_kind(guarded.events(), "file")
    assert read["path"] == str(planted.path)
    assert read["activity"] == "read"
    assert read["process"]["pid"] == int((guarded.project / "pid").read_text())
    assert read["process"]["name"] == "cat"
    assert read["process"]["cmdline"] == ["cat", ".env"]
    assert (read["attribution"], read["confidence"]) == ("exact", "exact-held")
    (session,) = guarded.sessions()
    assert [ancestor["pid"] for ancestor in read["process"]["ancestors"]] == [session["root_pid"]]
    assert {match["name"] for match in read["matches"]} >= {"OPENAI_API_KEY", "INTERNAL_TOKEN", "DATABASE_URL"}
    assert "PORT" not in {match["name"] for match in read["matches"]}
    assert session["exit_status"] == 7
    assert session["end"]
    assert guarded.left_behind() == []
    assert guarded.verb("verify").returncode == 0


def test_every_sensor_proves_itself_alive(guarded: Guarded, planted: Planted) -> None:
    guarded.shell("true")
    (session,) = guarded.sessions()
    sensors = {sensor["sensor"]: sensor for sensor in session["coverage"]}
    assert {"seccomp", "watchdog", "proxy"} <= set(sensors)
    assert {(sensor["state"], sensor["proved"]) for sensor in sensors.values()} == {("stopped", True)}
    assert session["outcome"] == "clean"
    assert of_kind(guarded.events(), "gap") == []


def test_standard_output_is_the_agents_alone(guarded: Guarded, planted: Planted) -> None:
    done = guarded.run("printf", "a\\0b", options=())
    assert done.stdout == "a\0b"
    assert "agentguard: guarding" in done.stderr
    assert guarded.run("true").stderr == "", "quiet is quiet"


def test_statuses_pass_through(guarded: Guarded) -> None:
    assert guarded.shell("exit 3").returncode == 3
    assert guarded.shell("kill -TERM $$").returncode == -15
    assert guarded.shell("kill -KILL $$").returncode == -9
    missing = guarded.run("no-such-agent")
    assert (missing.returncode, missing.stderr.count("\n")) == (127, 1)
    (guarded.project / "plain").write_text("data")
    refused = guarded.run("./plain")
    assert (refused.returncode, refused.stderr.count("\n")) == (126, 1)


def test_signals_reach_the_agent(guarded: Guarded) -> None:
    code = (
        "import os, signal\n"
        "def caught(*_): os.write(1, b'got\\n'); os._exit(5)\n"
        "signal.signal(signal.SIGTERM, caught)\n"
        "os.write(1, b'ready\\n')\n"
        "while True: signal.pause()\n"
    )
    process = subprocess.Popen(
        guarded.command(sys.executable, "-c", code, options=("--quiet",)),
        cwd=guarded.project,
        env=guarded.environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    assert process.wait(20) == 5
    assert process.stdout.read() == "got\n"


def test_the_environment_is_told_by_name_type_and_fingerprint(guarded: Guarded, planted: Planted) -> None:
    guarded.extra = {"MY_OPENAI_KEY": planted.openai}
    guarded.shell("/bin/true; OTHER_TOKEN=$MY_OPENAI_KEY /bin/true")
    inherited = of_kind(guarded.events(), "environment")
    assert inherited
    names = {(match["name"], match["type"]) for event in inherited for match in event["matches"]}
    assert ("MY_OPENAI_KEY", "openai-project-key") in names
    assert all(planted.openai not in json.dumps(event) for event in inherited)


def test_commands_that_fetch_credentials_are_events(guarded: Guarded, planted: Planted, base: Path) -> None:
    tools = base / "tools"
    tools.mkdir()
    (tools / "gh").write_text("#!/bin/sh\necho none\n")
    (tools / "gh").chmod(0o755)
    guarded.extra = {"PATH": f"{tools}:{os.environ['PATH']}"}
    guarded.shell(f"gh auth token; gh pr list; true {shlex.quote(planted.token)}; /bin/true --token={planted.token}")
    commands = of_kind(guarded.events(), "command")
    fetched = [event for event in commands if event["command_rule"]]
    assert ["auth token" in event["subject"] for event in fetched] == [True], "and `gh pr list` is nobody's business"
    (argv,) = (event for event in commands if event["process"]["name"] == "true")
    assert argv["matches"][0]["name"] == "INTERNAL_TOKEN"
    assert planted.token not in json.dumps(commands)


def test_an_ordinary_session_is_quiet(guarded: Guarded) -> None:
    guarded.shell("git init -q . && git status >/dev/null; ls -la; grep -r x . ; python3 -c 'import json, ssl'")
    assert [event for event in guarded.events() if event["kind"] != "session"] == []


def test_two_sessions_and_a_reader_share_one_file(guarded: Guarded, planted: Planted) -> None:
    script = "for i in 1 2 3 4 5; do cat .env > /dev/null; done"
    both = [
        subprocess.Popen(
            guarded.command("sh", "-c", script, options=("--quiet",)),
            cwd=guarded.project,
            env=guarded.environ,
            stdin=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]
    for process in both:
        guarded.verb("sessions", "--format", "json")
        assert process.wait(60) == 0
    assert [session["counts"]["reads"] for session in guarded.sessions()] == [5, 5]
    assert guarded.verb("verify").returncode == 0


def test_run_inside_run_joins(guarded: Guarded, planted: Planted) -> None:
    inner = shlex.join(guarded.command("cat", ".env", options=("--quiet",)))
    done = guarded.shell(inner)
    assert planted.openai in done.stdout
    (session,) = guarded.sessions()
    assert session["counts"]["reads"] == 1


@pytest.mark.parametrize(("workers", "count"), [(1, 200), (8, 1000)])
def test_a_thousand_cats(as_user: Guarded, workers: int, count: int) -> None:
    guarded = as_user
    plant(guarded.project)
    (guarded.project / "pids").touch()
    (guarded.project / "pids").chmod(0o666)
    one = "echo $$ >> pids; exec cat .env > /dev/null"
    done = guarded.shell(f"seq {count} | xargs -P{workers} -n1 sh -c {shlex.quote(one)}", timeout=120)
    assert done.returncode == 0
    seen = sorted(event["process"]["pid"] for event in of_kind(guarded.events(), "file"))
    assert seen == sorted(map(int, (guarded.project / "pids").read_text().split()))
    assert len(seen) == count
