"""What verbs print for programs is as `agentguard schema` publishes it: on real, and on hostile, content."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from schema_check import faults

from agentguard.cli import main
from agentguard.config import Home
from agentguard.show.document import VERSIONS
from agentguard.show.schemas.catalogue import SCHEMAS


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(list(words)) == 0
    text = capsys.readouterr().out
    assert text.isascii()
    return text


def test_schemas_are_listed_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    listed = [line.split()[0] for line in printed(capsys, "schema").splitlines()]
    assert listed == list(SCHEMAS) == list(VERSIONS)
    for name in listed:
        schema = json.loads(printed(capsys, "schema", name))
        Draft202012Validator.check_schema(schema)
        assert schema["$id"] == f"urn:agentguard:schema:{name}:{VERSIONS[name]}"
    assert main(["schema", "nothing"]) == 2
    assert "no schema 'nothing'; `agentguard schema` lists them" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("report", ["report", "s-all"]),
        ("report", ["report", "--session", "s-hostile"]),
        ("report", ["report", "--last"]),
        ("events", ["events"]),
        ("sessions", ["sessions"]),
        ("keys", ["keys"]),
        ("keys", ["keys", "worklist"]),
        ("keys", ["keys", "show", "7f3a91"]),
        ("verify", ["verify"]),
        ("status", ["status"]),
        ("notify", ["notify", "list"]),
        ("policy-list", ["policy", "list"]),
        ("policy-check", ["policy", "check"]),
        ("policy-test", ["policy", "test"]),
        ("policy-explain", ["policy", "explain", "--event", "s-all-e6"]),
    ],
)
def test_a_verb_prints_what_its_schema_says(
    name: str, words: list[str], told: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(printed(capsys, *words, "--home", str(told.root), "--format", "json"))
    assert faults(document, name) == []
    if isinstance(document, dict):
        assert list(document)[:2] == ["schema", "version"]
        assert document["schema"] == f"agentguard-{name}/{VERSIONS[name]}"


@pytest.mark.parametrize("name", ["events", "sessions"])
def test_a_line_is_an_item_of_the_array(name: str, told: Home, capsys: pytest.CaptureFixture[str]) -> None:
    def say(form: str) -> str:
        return printed(capsys, name, "--home", str(told.root), "--format", form)

    assert [json.loads(line) for line in say("jsonl").splitlines()] == json.loads(say("json"))


def test_an_invalid_policy_is_told_as_json(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nrules: 3\n")
    assert main(["policy", "check", str(policy), "--format", "json"]) == 2
    document: Any = json.loads(capsys.readouterr().out)
    assert faults(document, "policy-check") == []
    assert document["valid"] is False
    assert "rules" in document["problems"][0]


def test_a_field_that_is_missing_or_unknown_is_found(told: Home, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(printed(capsys, "keys", "--home", str(told.root), "--format", "json"))
    document["credentials"][0]["shade"] = "blue"
    assert "shade" in faults(document, "keys")[0]
    del document["credentials"][0]["shade"], document["credentials"][0]["places"]
    assert "places" in faults(document, "keys")[0]


@pytest.mark.parametrize("words", [["sessions", "--format", "table"], ["report", "s-all", "--format", "md"]])
def test_the_words_of_earlier_versions_are_understood(
    words: list[str], told: Home, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--home", str(told.root)]) == 0
    assert capfd.readouterr().out.startswith(("SESSION", "# ▲ LEAKED"))
