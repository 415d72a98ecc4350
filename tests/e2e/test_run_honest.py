"""What a session says of itself: what its programs could not do, and who laid hands on the guard."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness.guarded import AGENTGUARD, Event, Guarded, of_kind
from schema_check import faults

pytestmark = pytest.mark.slow


def test_a_program_that_cannot_gain_privilege_is_said_at_once_and_at_the_end(as_user: Guarded) -> None:
    program = as_user.project / "su"
    if os.geteuid() == 0:
        shutil.copy("/bin/true", program)
        program.chmod(0o4755)
    elif found := shutil.which("su"):
        program = Path(found)
    else:
        pytest.skip("no set-uid program here")
    script = f"{program} </dev/null; {program} </dev/null"
    done = as_user.run("sh", "-c", script, options=())
    assert "su could not gain privilege" in done.stderr
    assert "--allow-privileged" in done.stderr
    (said,) = of_kind(as_user.events(), "finding")
    assert said["process"]["name"] == "su"
    assert said["rule"] == "policies/default.yaml:privilege-withheld"
    assert (said["disposition"], said["severity"], said["outcome"]) == ("logged", "low", "clean")
    assert as_user.sessions()[0]["outcome"] == "clean"


def files(guarded: Guarded, name: str) -> list[Event]:
    return [event for event in of_kind(guarded.events(), "file") if (event["path"] or "").endswith(name)]


def rule_of(event: Event) -> str:
    return str(event["rule"]).removeprefix("policies/default.yaml:")


def test_who_opens_the_guards_own_files_is_named(as_user: Guarded) -> None:
    as_user.shell("cat $AGENTGUARD_HOME/chain.key $AGENTGUARD_HOME/agentguard.db > /dev/null")
    (key,), (database,) = files(as_user, "/chain.key"), files(as_user, "/agentguard.db")
    assert (rule_of(key), rule_of(database)) == ("guard-key-read", "guard-file-opened")
    for event in (key, database):
        assert (event["severity"], event["attribution"], event["process"]["name"]) == ("high", "exact", "cat")
    assert [match["name"] for match in key["matches"]] == ["chain.key"], "a key that leaves is a leak"
    assert as_user.sessions()[0]["outcome"] == "clean"
    assert as_user.verb("verify").returncode == 0


def test_the_guards_own_commands_inside_a_session_are_no_matter(as_user: Guarded) -> None:
    command = " ".join(AGENTGUARD)
    done = as_user.shell(f"{command} sessions; {command} events --session last | tail -1; {command} run -- true")
    assert done.returncode == 0, done.stderr
    assert done.stdout
    found = as_user.events()
    assert of_kind(found, "file") == []
    assert of_kind(found, "gap") == []


def test_the_name_alone_makes_nobody_a_command_of_the_guard(as_user: Guarded) -> None:
    fake = as_user.project / "below/agentguard.py"
    fake.parent.mkdir()
    fake.write_text("import os; open(os.environ['AGENTGUARD_HOME'] + '/chain.key').read()\n")
    shutil.copy(fake, fake.with_suffix(""))
    named = f"{sys.executable} -m agentguard; PYTHONPATH=. {sys.executable} -m agentguard"
    as_user.shell(f"cd below; {named}; {sys.executable} agentguard")
    assert [rule_of(event) for event in files(as_user, "/chain.key")] == ["guard-key-read"] * 3


def test_a_policy_that_the_agent_writes_is_its_own_alert(as_user: Guarded) -> None:
    script = "printf 'version: 1\\nrules: []\\n' | tee $AGENTGUARD_HOME/policy.yaml > .agentguard.yaml"
    as_user.shell(f"{script}; sleep 1.5; rm $AGENTGUARD_HOME/policy.yaml")
    own = files(as_user, "/policy.yaml")
    assert [(event["activity"], rule_of(event)) for event in own] == [
        ("write", "guard-changed-by-agent"),
        ("delete", "guard-changed-by-agent"),
    ]
    assert [event["process"]["name"] for event in own] == ["tee", "rm"]
    assert {(event["attribution"], event["confidence"], event["severity"]) for event in own} == {
        ("inferred", "probable", "high")
    }
    (repository,) = files(as_user, "/.agentguard.yaml")
    assert repository["activity"] == "write"
    assert repository["disposition"] == "alert"


def test_a_change_by_nobody_in_the_session_says_so(as_user: Guarded) -> None:
    process = subprocess.Popen(
        as_user.command("sh", "-c", "echo ready; sleep 1", options=("--quiet",)),
        cwd=as_user.project,
        env=as_user.environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    (as_user.home / "policy.yaml").write_text("version: 1\nrules: []\n")
    (as_user.home / "chain.key").touch()
    assert process.wait(30) == 0
    (event,) = [event for event in of_kind(as_user.events(), "file") if event["activity"] != "read"]
    assert (rule_of(event), event["attribution"], event["process"]) == ("guard-changed-unseen", "unknown", None)
    assert event["severity"] == "medium"


def test_a_record_that_is_taken_away_is_not_clean(as_user: Guarded) -> None:
    as_user.shell("mv $AGENTGUARD_HOME/chain.key aside; sleep 1.5; mv aside $AGENTGUARD_HOME/chain.key")
    changed = [event for event in files(as_user, "/chain.key") if event["activity"] != "read"]
    assert [event["activity"] for event in changed] == ["delete", "write"]
    assert {rule_of(event) for event in changed} == {"guard-record-changed"}
    assert as_user.sessions()[0]["outcome"] == "unknown"


def test_an_agent_that_trusts_its_own_policy_is_an_alert(as_user: Guarded) -> None:
    (as_user.project / ".agentguard.yaml").write_text("version: 1\nrules: []\n")
    as_user.shell(f"{' '.join(AGENTGUARD)} policy trust .agentguard.yaml")
    (command,) = of_kind(as_user.events(), "command")
    assert (rule_of(command), command["severity"]) == ("guard-trust", "high")


def test_two_sessions_of_one_home_do_not_accuse_each_other(as_user: Guarded) -> None:
    process = subprocess.Popen(
        as_user.command("sh", "-c", "echo ready; sleep 1.5", options=("--quiet",)),
        cwd=as_user.project,
        env=as_user.environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    as_user.shell("true")
    assert process.wait(30) == 0
    for session in as_user.sessions():
        lines = as_user.verb("events", "--session", session["uid"], "--format", "jsonl").stdout.splitlines()
        found = [json.loads(line) for line in lines]
        assert [event for event in found if event["kind"] != "session"] == []
        assert session["outcome"] == "clean"


def test_a_secret_file_out_of_packed_objects_is_recorded_from_its_exec(as_user: Guarded) -> None:
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    (as_user.project / ".env").write_text("PLAIN=1\n")
    config = "git config user.name a; git config user.email a@example.com"
    commit = f"git init -q .; {config}; git add .env; git commit -qm one; git gc -q; rm .env"
    as_user.shell(f"({commit}) >/dev/null 2>&1; git show HEAD:.env; git log -p >/dev/null")
    told = {event["command_rule"]: event for event in of_kind(as_user.events(), "command")}
    assert told["git-show-secret-file"]["disposition"] == "alert"
    assert told["git-show-secret-file"]["process"]["cmdline"] == ["git", "show", "HEAD:.env"]
    assert told["git-history"]["severity"] == "info"


def test_every_sensor_is_proved_and_says_how_soon(as_user: Guarded) -> None:
    done = as_user.verb("doctor", "--format", "json")
    assert done.returncode == 0, done.stdout
    assert faults(json.loads(done.stdout), "doctor") == []
    details = {check["name"]: check["detail"] for check in json.loads(done.stdout)["checks"]}
    for sensor in ("seccomp", "watchdog", "inotify", "proxy"):
        assert re.match(r"proved: it saw its decoy after \d", details[f"sensor {sensor}"])
