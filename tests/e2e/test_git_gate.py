"""A guarded session whose agent goes round the git gate: each way is an event, and ordinary work with git is none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness.guarded import Event, Guarded, of_kind
from harness.repository import made_up_key

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="execs are seen on Linux"),
    pytest.mark.skipif(not shutil.which("git"), reason="git is not installed"),
]


SET_UP = """
git config --global safe.directory '*' && git config --global user.name ada && git config --global user.email ada@x.org
git init --quiet --initial-branch=main
"""


@pytest.fixture
def gated(as_user: Guarded) -> Guarded:
    """The project of an ordinary user's session is a repository with the gate."""
    words = [*as_user.prefix, "sh", "-e", "-c", SET_UP]
    subprocess.run(words, cwd=as_user.project, env=as_user.environ, check=True)
    done = as_user.verb("hook", "install", "git")
    assert done.returncode == 0, done.stderr
    return as_user


def test_each_way_round_the_gate_is_an_event_and_ordinary_work_with_git_is_none(gated: Guarded) -> None:
    key = made_up_key()
    done = gated.shell(
        "echo a = 1 >a.py; git add a.py; git commit -qm one; git config user.name grace; git checkout -qb side;"
        f"printf \"token = '%s%s'\" {key[:12]} {key[12:]} >b.py; git add b.py; git commit -qm two; git log --format=%s;"
        "git commit -qnm three; git commit -q --allow-empty --no-verify -m four;"
        "git -c core.hooksPath=/dev/null commit -q --allow-empty -m five;"
        "HUSKY=0 git commit -q --allow-empty -m six;"
        "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0=/x git commit -q --allow-empty -m seven;"
        "git update-ref refs/heads/other HEAD;"
        "cd .git/hooks; chmod -x pre-push; echo exit 0 >commit-msg; rm pre-commit; cd ../..;"
        "git config core.hooksPath /x"
    )
    assert done.stdout == "one\n"
    assert "b.py:1" in done.stderr
    events = gated.events()
    commands = [(rule_of(event), event["subject"]) for event in of_kind(events, "command")]
    assert [rule for rule, _ in commands] == [*["git-gate-bypassed"] * 5, "git-plumbing", "git-gate-bypassed"]
    assert "git commit -qnm three" in commands[0][1]
    assert "HUSKY=0" in commands[3][1]
    assert "GIT_CONFIG_KEY_0=core.hooksPath" in commands[4][1]
    assert commands[6][1] == "git config core.hooksPath /x"
    changes = [event for event in of_kind(events, "file") if event["activity"] != "read"]
    told = {(rule_of(event).removesuffix("-by-agent").removesuffix("-unseen"), event["path"]) for event in changes}
    assert {(rule, Path(path).name) for rule, path in told} == {
        *(("guard-changed", hook) for hook in ("commit-msg", "pre-commit", "pre-push")),
        ("hooks-path-changed", "config"),
    }


def rule_of(event: Event) -> str:
    return str(event["rule"]).rpartition(":")[2]
