"""Rules that expect what was looked at: what they ask, where they go, and that nothing else of a policy changes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judge_builders import CONTEXT, case, match, policy, send

from agentguard.errors import PolicyError
from agentguard.judge.expect import NewRule, rule_for, speaks_of, with_rule
from agentguard.judge.facts import Facts
from agentguard.judge.load import load_file
from agentguard.judge.parse import parse_policy
from agentguard.judge.user_policy import replace_policy
from agentguard.model.finding import Finding
from agentguard.model.verdict import Disposition, Outcome

DAY = "2026-01-31"
OURS = """# mine
version: 1
description: Mine.

rules:
  # why this one
  - id: ours
    description: Ours.
    when: {kind: gap}
    then: {disposition: logged, severity: low}
    examples:
      match: [{kind: gap, gap: io-uring}]
"""


def propose(finding: Finding, *taken: str) -> NewRule:
    return rule_for(finding, Facts(finding, CONTEXT), taken, DAY)


def judged_after(finding: Finding, data: bytes | None = None) -> tuple[str, Disposition, Outcome]:
    written = with_rule(data, propose(finding), "policy.yaml")
    verdict = policy(written.decode()).judge(finding, CONTEXT)
    return verdict.rule, verdict.disposition, verdict.outcome


IGNORED, LOGGED = Disposition.IGNORED, Disposition.LOGGED


@pytest.mark.parametrize(
    ("words", "name", "disposition"),
    [
        ({"kind": "file", "path": "/src/shop/.env", "process": "cat"}, "read-env", IGNORED),
        ({"kind": "command", "command_rule": "vault-kv", "process": "vault"}, "command-vault-kv", IGNORED),
        ({"kind": "environment", "type": "jwt", "agent": "codex"}, "environment-jwt", IGNORED),
        ({"kind": "http", "host": "paste.example", "place": "body", "type": "jwt"}, "http-paste-example", LOGGED),
        ({"kind": "gap", "gap": "io-uring", "sensor": "proxy"}, "gap-io-uring", IGNORED),
    ],
)
def test_a_rule_expects_what_it_was_made_of(words, name: str, disposition: Disposition) -> None:
    finding, context = case(**words)
    written = with_rule(None, rule_for(finding, Facts(finding, context), (), DAY), "policy.yaml")
    verdict = policy(written.decode()).judge(finding, context)
    expected = (f"policy.yaml:expected-{name}", disposition, Outcome.CLEAN)
    assert (verdict.rule, verdict.disposition, verdict.outcome) == expected


def test_it_asks_for_what_comes_again_and_for_no_more() -> None:
    finding = send(match(type="jwt"), match(place="query", type="database-url"), host="api.shop.example")
    assert propose(finding, "expected-http-api-shop-example").text == (
        "- id: expected-http-api-shop-example-2\n"
        '  description: "Looked at on 2026-01-31 and found right."\n'
        "  when:\n"
        "    kind: http\n"
        "    host: api.shop.example\n"
        "    type: [jwt, database-url]\n"
        "    place: [body, query]\n"
        "  then: {disposition: logged, severity: low, outcome: clean}\n"
    )


def test_it_speaks_of_nothing_else() -> None:
    expected, other = send(match(type="jwt")), send(match(type="jwt"), host="other.example")
    (rule,) = parse_policy(with_rule(None, propose(expected), "p"), source="p", shown="p").rules
    assert speaks_of(rule, Facts(expected, CONTEXT))
    assert not speaks_of(rule, Facts(other, CONTEXT))
    assert not speaks_of(rule, Facts(send(match(type="pem-private-key")), CONTEXT))


def test_a_session_says_nothing_that_could_be_expected() -> None:
    with pytest.raises(PolicyError, match="mark it as seen"):
        propose(case(kind="session")[0])


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=12).filter(lambda name: "/" not in name))
@settings(max_examples=150, deadline=None)
def test_any_file_name_can_be_named(name: str, process: str) -> None:
    finding, _ = case(kind="file", path="/src/" + name, process=process)
    clean = finding.path.encode("utf-8", "replace").decode()
    text = propose(replace(finding, path=clean)).text
    assert all(line.isprintable() and line.isascii() for line in text.splitlines())
    assert judged_after(replace(finding, path=clean))[1] is Disposition.IGNORED


@pytest.mark.parametrize(
    "text",
    [
        OURS,
        OURS.replace("\n", "\r\n"),
        OURS.replace("  - id", "- id").replace("    ", "  "),
        "version: 1\nrules: []  # none yet\n",
        "version: 1\nextends: strict",
        "version: 1\ngateways: [gw.example]\n# the end\n",
        "rules:\n  -\n    id: ours\n    description: O.\n    then: {disposition: logged, severity: low}\nversion: 1\n",
        "\ufeffversion: 1\nrules:\n- id: x\n  description: X.\n  then: {disposition: logged, severity: low}",
    ],
)
def test_a_persons_file_keeps_every_line(text: str) -> None:
    finding, _ = case(kind="file", path="/src/.env", process="cat")
    rule = propose(finding)
    after = with_rule(text.encode(), rule, "policy.yaml").decode()
    assert judged_after(finding, text.encode())[0] == f"policy.yaml:{rule.id}"
    added = {line.strip() for line in rule.text.splitlines()} | {"", "rules:"}
    before = text.lstrip("\ufeff").replace("rules: []", "rules:").splitlines()
    kept = [line for line in after.splitlines() if line.strip() not in added]
    assert kept == [line for line in before if line.strip() not in added]
    assert ("\r\n" in after) is ("\r\n" in text)


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nrules: [{id: a, description: A., then: {disposition: logged, severity: low}}]\n",
        "{version: 1, rules: []}",
        "rules:\n  - id: broken\n",
        "# nothing but a comment\n",
    ],
)
def test_what_cannot_be_changed_safely_is_left_alone(text: str) -> None:
    with pytest.raises(PolicyError, match=r"policy\.yaml"):
        with_rule(text.encode(), propose(case(kind="file", path="/a", process="b")[0]), "policy.yaml")


def test_a_policy_is_replaced_whole_and_only_when_nobody_else_wrote_it(tmp_path: Path) -> None:
    path, real = tmp_path / "policy.yaml", tmp_path / "dotfiles.yaml"
    replace_policy(path, None, OURS.encode())
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(PolicyError, match="changed meanwhile"):
        replace_policy(path, None, b"x")
    path.rename(real)
    real.chmod(0o640)
    path.symlink_to(real)
    replace_policy(path, OURS.encode(), OURS.replace("ours", "mine").encode())
    assert (path.is_symlink(), real.stat().st_mode & 0o777) == (True, 0o640)
    assert load_file(path).rules[0].id == "mine"
    replace_policy(path, real.read_bytes(), None)
    assert not real.exists()
    assert os.listdir(tmp_path) == ["policy.yaml"]


def test_a_folder_that_takes_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"cannot write .*policy\.yaml"):
        replace_policy(tmp_path / "missing" / "policy.yaml", None, b"x")
