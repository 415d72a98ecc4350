"""Gateways that the user names: what counts as one, and who may say so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from judge_builders import CONTEXT, case

from agentguard.judge.gateways import gateway_problem, names_gateway, pointed_at
from agentguard.judge.globs import glob_set
from agentguard.judge.load import REPOSITORY_POLICY, load_policy
from agentguard.judge.parse import InvalidPolicyError, parse_policy
from agentguard.model.verdict import Destination, Outcome

NAMED = ("llm.corp.example", "*.models.corp.example", "127.0.0.1:4000", "[::1]:4000")


@pytest.mark.parametrize("entry", [*NAMED, "buildbox", "buildbox:8080", "eu?.llm.corp.example", "LLM.corp.example"])
def test_an_entry_is_a_host_or_a_host_and_port(entry: str) -> None:
    assert gateway_problem(entry) == ""


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("https://llm.corp.example/v1", "is a URL"),
        ("llm.corp.example/v1", "is a URL"),
        ("*", "far too many"),
        ("*.example", "far too many"),
        ("*corp.example", "far too many"),
        ("llm.*", "far too many"),
        ("*:4000", "far too many"),
        ("llm.corp.example:0", "is not a host"),
        ("llm.corp.example:70000", "is not a host"),
        ("llm corp", "is not a host"),
        ("", "empty"),
        ("[a-z].example", "[ and ]"),
    ],
)
def test_a_mistake_is_named_with_its_line(entry: str, words: str) -> None:
    with pytest.raises(InvalidPolicyError) as error:
        parse_policy(f"version: 1\ngateways:\n  - {entry!r}\n".encode(), source="policy.yaml", shown="policy.yaml")
    assert words in str(error.value)
    assert str(error.value).startswith("policy.yaml:3: gateways: ")


@pytest.mark.parametrize(
    ("host", "port", "named"),
    [
        ("llm.corp.example", 443, True),
        ("llm.corp.example.", 8443, True),
        ("eu.models.corp.example", 443, True),
        ("models.corp.example", 443, False),
        ("evil-llm.corp.example", 443, False),
        ("127.0.0.1", 4000, True),
        ("127.0.0.1", 3000, False),
        ("127.0.0.1", 0, False),
        ("::1", 4000, True),
        ("::1", 4001, False),
    ],
)
def test_which_receivers_are_named(host: str, port: int, named: bool) -> None:
    assert names_gateway(glob_set(NAMED), host, port) is named


def test_a_named_gateway_is_a_model_wherever_it_stands(home: Path) -> None:
    folder = home / ".agentguard"
    folder.mkdir()
    (folder / "policy.yaml").write_text("version: 1\ngateways: [llm.corp.internal, '127.0.0.1:4000']\n")
    policy = load_policy(home=folder, workspace=None)
    context = replace(CONTEXT, gateways=policy.gateways)
    for host, port in (("llm.corp.internal", "443"), ("127.0.0.1", "4000")):
        verdict = policy.judge(*case(context, kind="http", host=host, port=port, place="body", type="database-url"))
        assert (verdict.outcome, verdict.destination) == (Outcome.EXPOSED, Destination.MODEL)
    near = policy.judge(*case(context, kind="http", host="127.0.0.1", port="4001", place="body", type="database-url"))
    assert near.destination is Destination.LOOPBACK
    round_it = case(context, kind="gap", activity="connect", gap="proxy-bypass", host="127.0.0.1", port="4000")
    assert policy.judge(*round_it).outcome is Outcome.UNKNOWN, "what goes to a gateway round the proxy may be a prompt"


def test_a_repository_names_none_until_it_is_trusted(home: Path, tmp_path: Path) -> None:
    (tmp_path / REPOSITORY_POLICY).write_text("version: 1\ngateways: [paste.example]\n")
    suspicious = load_policy(home=home, workspace=tmp_path, trusted=lambda *_: False)
    assert (suspicious.gateways, suspicious.gateways_not_trusted) == ((), ("paste.example",))
    trusted = load_policy(home=home, workspace=tmp_path, trusted=lambda *_: True)
    assert (trusted.gateways, trusted.gateways_not_trusted) == (("paste.example",), ())


def test_the_environment_makes_a_model_but_vouches_for_no_key() -> None:
    policy = load_policy(home=None, workspace=None)
    context = replace(
        CONTEXT, pointed_at=pointed_at({"OPENAI_BASE_URL": "https://LLM.shop.example/v1"}, ["OPENAI_BASE_URL"])
    )
    body = policy.judge(*case(context, kind="http", host="llm.shop.example", place="body", type="database-url"))
    assert (body.outcome, body.rule) == (Outcome.EXPOSED, "policies/default.yaml:exposed-to-model")
    key = {"place": "header:authorization", "type": "openai-project-key", "issuer": "api.openai.com"}
    login = policy.judge(*case(context, kind="http", host="llm.shop.example", **key))
    assert login.rule == "policies/default.yaml:foreign-key-to-model"


@pytest.mark.parametrize(
    ("value", "hosts"),
    [
        ("https://llm.shop.example:8443/v1", ("llm.shop.example",)),
        ("llm.shop.example/v1", ("llm.shop.example",)),
        ("http://127.0.0.1:4000", ()),
        ("http://localhost:11434/v1", ()),
        ("http://[::1]:4000/", ()),
        ("http://[::1", ()),
        ("https://*.example/", ()),
        ("https:///v1", ()),
        ("", ()),
    ],
)
def test_what_a_variable_points_at(value: str, hosts: tuple[str, ...]) -> None:
    assert pointed_at({"ANTHROPIC_BASE_URL": value, "OTHER": "https://other.example"}, ["ANTHROPIC_BASE_URL"]) == hosts
