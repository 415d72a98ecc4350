"""`agentguard doctor` says what `run` would refuse. (What it proves live is in the e2e tests.)"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from schema_check import faults

from agentguard.cli import main
from agentguard.commands import doctor
from agentguard.show.notify.told import Result, ToldFile


def states(home: Path) -> dict[str, tuple[str, str]]:
    checks = [*doctor._home(str(home)), *doctor._policy(str(home)), *doctor._notify(str(home))]
    return {check.name: (check.state, check.detail) for check in checks}


def test_a_new_home_is_fine(tmp_path: Path) -> None:
    assert {state for state, _ in states(tmp_path / "home").values()} <= {"ok", "off"}


@pytest.mark.parametrize(
    ("name", "content", "check", "said"),
    [
        ("agentguard.db", "no database at all, and long enough to be looked at", "home", "not a database"),
        ("chain.key", "zz", "home", "damaged"),
        ("policy.yaml", "rules: 3", "policy", "policy.yaml:1"),
        ("notify.yaml", "version: 1\nchannels: [destkop]", "notify", "notify.yaml:2"),
    ],
)
def test_what_is_broken_is_bad(tmp_path: Path, name: str, content: str, check: str, said: str) -> None:
    (tmp_path / name).write_text(content)
    state, detail = states(tmp_path)[check]
    assert state == "bad"
    assert said in detail


def test_a_channel_that_will_not_serve_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    (tmp_path / "secret").write_text("k" * 40)
    (tmp_path / "secret").chmod(0o644)
    (tmp_path / "notify.yaml").write_text(
        "version: 1\n"
        "channels:\n"
        "  - {name: gone, command: [no-such-program]}\n"
        f"  - {{name: open, webhook: 'https://h.example/', secret: 'file:{tmp_path}/secret'}}\n"
        "  - {name: fails, command: ['true']}\n"
        "  - {name: works, command: ['true']}\n"
    )
    told = ToldFile(tmp_path / "notified.json", 0)
    told.record(Result("fails", 1_769_869_878_000_000_000, False, "exit status 3: \x1b[31mboo"))
    told.record(Result("works", 1, True, "exit status 0"))
    found = states(tmp_path)
    assert found["notify gone"] == ("warning", "no-such-program was not found")
    assert found["notify open"][0] == "warning"
    assert "others can read the signing secret" in found["notify open"][1]
    assert found["notify fails"][0] == "warning"
    assert found["notify fails"][1].endswith(r"exit status 3: \x1b[31mboo")
    assert found["notify works"] == ("ok", "ready; `agentguard notify test` tries it")


@pytest.mark.skipif(sys.platform == "darwin", reason="its desktop is there always")
def test_a_channel_that_nobody_asked_for_is_off_where_it_cannot_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a ✓ nor a fault."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(doctor, "_live", lambda: ())
    assert main(["doctor", "--home", str(tmp_path / "home")]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "notify desktop" in line)
    assert re.fullmatch(r"– notify desktop +off +notify-send was not found; .+", line)
    assert main(["doctor", "--home", str(tmp_path / "home"), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert faults(document, "doctor") == []
    assert {check["name"]: check["state"] for check in document["checks"]}["notify desktop"] == "off"
