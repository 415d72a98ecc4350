"""`agentguard policy`, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from schema_check import faults

from agentguard.cli import main

RULE = (
    "version: 1\nrules:\n  - id: quiet\n    description: Our own.\n    when: {kind: file}\n"
    "    then: {disposition: ignored, severity: info}\n"
    "    examples:\n      match:\n        - {kind: file, path: /x/.env}\n      no_match:\n        - {kind: http}\n"
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository to stand in, and a home folder beside it."""
    (tmp_path / "shop" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "shop")
    monkeypatch.setenv("AGENTGUARD_HOME", str(tmp_path / "home"))
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(["policy", *words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_check_what_is_in_force(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "check")
    assert status == 0
    assert "from policies/default.yaml" in out
    assert not (place / "home").exists(), "looking leaves nothing behind"


def test_check_reports_every_mistake_with_its_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = place / "bad.yaml"
    bad.write_text("version: 1\nrules:\n  - id: a\n    when: {kind: x}\n    then: {disposition: y, severity: low}\n")
    status, out, err = run(capsys, "check", str(bad))
    assert (status, out) == (2, "")
    lines = err.splitlines()
    assert len(lines) == 3
    assert all(line.startswith((f"{bad}:4: ", f"{bad}:5: ")) for line in lines)


@pytest.mark.parametrize("text", ["version: [", "\x00"])
def test_check_of_no_yaml(place: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (place / "bad.yaml").write_text(text)
    status, _, err = run(capsys, "check", str(place / "bad.yaml"))
    assert status == 2
    assert err.startswith(f"agentguard: {place}/bad.yaml:1: not valid YAML")


def test_check_of_a_missing_file(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "check", "none.yaml")
    assert status == 2
    assert "no such file" in err


def test_list_in_order(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "shop" / ".agentguard.yaml").write_text(RULE)
    status, out, _ = run(capsys, "list", "--format", "json")
    assert faults(json.loads(out), "policy-list") == []
    rows = json.loads(out)["rules"]
    assert status == 0
    assert rows[0]["rule"] == "policies/default.yaml:public-key"
    assert rows[-1] == {
        "rule": ".agentguard.yaml:quiet",
        "line": 3,
        "description": "Our own.",
        "when": {"kind": ["file"]},
        "disposition": "ignored",
        "severity": "info",
        "outcome": "clean",
        "stricter_only": True,
    }
    _, table, _ = run(capsys, "list")
    assert len(table.splitlines()) == len(rows) + 1
    assert "only where stricter" in table.splitlines()[-1]


def test_trust_turns_a_repositorys_rules_on(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "shop" / ".agentguard.yaml").write_text(RULE)
    words = ("explain", "--kind", "file", "--path", "/x/.env", "--file-kind", "dotenv", "--process", "cat")
    assert "rule:    policies/default.yaml:read-secret" in run(capsys, *words)[1]
    assert "not trusted" in run(capsys, "check")[1]

    status, out, _ = run(capsys, "trust", ".agentguard.yaml")
    assert status == 0
    assert out.startswith("trusted: 1 rules of ")
    assert "rule:    .agentguard.yaml:quiet" in run(capsys, *words)[1]
    other = str(place / "elsewhere")
    assert "read-secret" in run(capsys, "--home", other, *words)[1]
    assert "read-secret" in run(capsys, *words, "--home", other)[1]


def test_only_a_repositorys_policy_can_be_trusted(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "x.yaml").write_text(RULE)
    status, _, err = run(capsys, "trust", str(place / "x.yaml"))
    assert status == 2
    assert "is not called .agentguard.yaml" in err


def test_an_invalid_policy_cannot_be_trusted(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "shop" / ".agentguard.yaml").write_text("version: 3\nrules: []\n")
    status, _, err = run(capsys, "trust", ".agentguard.yaml")
    assert status == 2
    assert ".agentguard.yaml:1: version must be 1" in err


def test_explain_knows_issuers_and_readers(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    send = ("explain", "--type", "openai-project-key", "--place", "header:authorization")
    assert "default.yaml:expected-use" in run(capsys, *send, "--host", "api.openai.com")[1].splitlines()[-2]
    assert "leak-to-unknown-host" in run(capsys, *send, "--host", "paste.example")[1].splitlines()[-2]
    ssh = ("explain", "--kind", "file", "--path", "/home/ada/.ssh/id_ed25519")
    assert "expected-reader" in run(capsys, *ssh, "--process", "ssh")[1].splitlines()[-2]
    assert "read-login-or-key" in run(capsys, *ssh, "--process", "head")[1].splitlines()[-2]
    inline = run(capsys, *ssh[:2], "file", "--path", "/x/.env", "--process", "python3", "--argv", "python3 -c 'x y'")
    assert "read-secret" in inline[1].splitlines()[-2]


def test_explain_as_json(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "explain", "--host", "localhost", "--type", "jwt", "--format", "json")
    data = json.loads(out)
    assert faults(data, "policy-explain") == []
    assert data["rule"] == "policies/default.yaml:send-to-this-machine"
    assert data["units"][0]["destinations"] == ["loopback"]
    assert data["units"][0]["tried"][-1] == {"rule": data["rule"], "fired": True, "why": ""}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--type", "openai-projct-key"), "did you mean openai-project-key"),
        (("--type", "zzz"), "policies/secrets.yaml lists them"),
        (("--kind", "ftp"), "'ftp' is not known; allowed: file"),
        (("--event", "none"), "no event 'none'"),
    ],
)
def test_explain_of_nonsense(
    place: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    status, out, err = run(capsys, "explain", *words)
    assert (status, out) == (2, "")
    assert message in err


def test_examples_that_do_not_come_out_are_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = place / "good.yaml", place / "bad.yaml"
    good.write_text(RULE)
    bad.write_text(RULE.replace("{kind: http}", "{kind: file, path: /y}"))
    assert run(capsys, "test", str(good)) == (0, "2 of 2 examples came out as written\n", "")
    status, out, err = run(capsys, "test", str(bad))
    assert status == 1
    assert out == "1 of 2 examples came out as written\n"
    assert err == "bad.yaml:11: quiet should stay silent, but bad.yaml:quiet did\n"
    assert run(capsys, "test")[0] == 0


def test_a_file_that_only_extends_is_tested_too(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "p.yaml").write_text("version: 1\nextends: strict\n")
    assert run(capsys, "test", str(place / "p.yaml"))[0] == 0


def test_explain_a_recorded_event(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The record keeps no list of expected readers: they are looked up again, or ssh would be a stranger to its key."""
    from dataclasses import replace

    from agentguard.attribute.agents import load_agents
    from agentguard.config import open_home
    from agentguard.judge.context import Context
    from agentguard.judge.examples import situation
    from agentguard.judge.load import load_policy
    from agentguard.model.session import Session
    from agentguard.paths import policies_dir
    from agentguard.record.writer import Writer

    context = Context(identify=load_agents(policies_dir() / "agents.yaml").identify, session_agent="claude")
    words = {"kind": ["file"], "path": ["/home/ada/.ssh/id_rsa"], "file_kind": ["ssh-private-key"]}
    by_ssh = situation({**words, "process": ["ssh"], "expected_readers": ["ssh"]}, context)[0]
    by_claude = situation({**words, "process": ["claude"]}, context)[0]
    policy, home = load_policy(home=None, workspace=None), open_home(place / "home")
    facts = {"uid": "s-one", "agent": "claude", "agent_name": "Claude Code", "command": ("claude",), "cwd": "/"}
    session = Session(**facts, root_pid=77, start_ns=1)  # type: ignore[arg-type]
    writer = Writer(home)
    writer.start()
    writer.begin_session(session)
    for number, finding in enumerate((by_ssh, by_claude)):
        named = replace(finding, uid=f"e{number}", session="s-one", agent="claude", time_ns=10**18 + number)
        writer.append(named, policy.judge(named, context))
    writer.end_session(session)
    writer.close()

    assert run(capsys, "explain", "--event", "e0")[1].splitlines()[-2].endswith(":expected-reader")
    assert run(capsys, "explain", "--event", "e1")[1].splitlines()[-2].endswith(":read-login-or-key")
