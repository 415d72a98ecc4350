"""`agentguard notify`, through the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from schema_check import faults

from agentguard.cli import main

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def notify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*words: str) -> tuple[int, str, str]:
        status = main(["notify", words[0], "--home", str(tmp_path / "home"), *words[1:]])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    (tmp_path / "home").mkdir(mode=0o700)
    return call


def settings(folder: Path, *channels: str) -> None:
    path = folder / "home" / "notify.yaml"
    path.write_text("version: 1\nchannels:\n" + "".join(f"  - {channel}\n" for channel in channels))
    path.chmod(0o600)


def test_each_channel_is_tried_and_says_what_happened(tmp_path: Path, notify: Call) -> None:
    got = tmp_path / "got"
    keep = f"[{sys.executable}, -S, -c, \"import sys; open('{got}', 'w').write(sys.stdin.read())\"]"
    settings(tmp_path, f"{{name: good, command: {keep}}}", "{name: bad, command: [sh, -c, 'echo no >&2; exit 3']}")
    status, out, _ = notify("test")
    assert status == 2
    assert out.splitlines() == ["✓ good         exit status 0", "✗ bad          exit status 3: no"]
    body = json.loads(got.read_text())
    assert faults(body, "notification") == []
    assert body["test"] is True
    assert notify("test", "good")[0] == 0
    status, out, _ = notify("list")
    assert status == 0
    good, bad = out.splitlines()
    assert good.startswith("good         command   delivered ")
    assert bad.endswith(": exit status 3: no")
    assert "NOT delivered" in bad


def test_a_program_gets_json(tmp_path: Path, notify: Call) -> None:
    settings(tmp_path, "{name: good, command: ['true']}", "terminal")
    status, out, _ = notify("test", "--format", "json")
    assert status == 2, "standard error is no terminal here"
    printed = json.loads(out)
    assert faults(printed, "notify") == []
    assert [(row["channel"], row["kind"], row["last"]["delivered"]) for row in printed["channels"]] == [
        ("good", "command", True),
        ("terminal", "terminal", False),
    ]
    assert json.loads(notify("list", "--format", "json")[1]) == printed


def test_what_is_wrong_is_one_line(tmp_path: Path, notify: Call) -> None:
    settings(tmp_path, "desktop", "{webhook: 'http://h.example/T0/SECRET'}")
    status, out, err = notify("test")
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert "notify.yaml:4: webhook: must be https" in err
    assert "SECRET" not in err, "some addresses are secrets themselves"
    settings(tmp_path, "desktop")
    assert "there is no channel 'phone' to notify by" in notify("test", "phone")[2]


def test_who_wants_none_is_told_so(tmp_path: Path, notify: Call) -> None:
    (tmp_path / "home" / "notify.yaml").write_text("version: 1\nchannels: []\n")
    (tmp_path / "home" / "notify.yaml").chmod(0o600)
    assert notify("test") == (0, "there is no channel: notify.yaml says `channels: []`\n", "")
