"""Sessions as SARIF."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from record_builders import leaked, make_home, read, send, session
from sarif_rules import SARIF

from agentguard.config import Home
from agentguard.model.verdict import Severity
from agentguard.record.reader import Reader
from agentguard.record.writer import Writer
from agentguard.show.report import sarif_report
from agentguard.show.report.sarif_report import session_sarif


def run_of(home: Home, uid: str) -> dict[str, Any]:
    with contextlib.closing(Reader(home.database)) as reader:
        found = reader.session(uid)
        assert found is not None
        text = session_sarif(reader, found)
    assert text.isascii()
    log = json.loads(text)
    assert [error.message for error in Draft202012Validator(SARIF).iter_errors(log)] == []
    (run,) = log["runs"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    return run


def test_a_flow_leads_from_the_read_to_the_send(told: Home) -> None:
    run = run_of(told, "s-all")
    first = run["results"][0]
    assert (first["level"], first["properties"]["outcome"]) == ("error", "leaked")
    steps = first["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["location"]["message"]["text"] for step in steps] == [
        "read by curl 48317: .env (1 secret)",
        "sent by curl 48333: POST https://paste.example/curl",
    ]
    assert [step["executionTimeUtc"][11:19] for step in steps] == ["14:31:21", "14:31:24"]
    assert run["properties"]["outcome"] == "leaked"
    assert run["invocations"][0]["executionSuccessful"] is False
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert "nc connected to 203.0.113.9:443 without the proxy" in notification["message"]["text"]


def test_a_file_of_the_workspace_is_named_as_in_the_repository(told: Home) -> None:
    places = {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]: result
        for result in run_of(told, "s-all")["results"]
    }
    assert ".env" in places
    assert places[".env"]["occurrenceCount"] == 3
    assert "file:///home/dev/src/shop/.env" in places


def test_what_an_agent_chose_makes_no_link(told: Home) -> None:
    run = run_of(told, "s-hostile")
    texts = [result["message"]["text"] for result in run["results"]]
    assert any("evil.example" in text for text in texts)
    for text in texts:
        assert "\\[a\\]" in text or "[a]" not in text
        assert text.isprintable()


def test_it_is_the_same_finding_in_the_next_session(tmp_path, told: Home) -> None:
    def identities(run: dict[str, Any]) -> list[str]:
        return [result["partialFingerprints"]["agentguard/v1"] for result in run["results"]]

    home = make_home(tmp_path)
    writer = Writer(home)
    writer.start()
    for number, uid in enumerate(("s-one", "s-two")):
        writer.begin_session(session(uid))
        writer.append(*read(1 + number, session=uid))
        writer.append(*send(2 + number, session=uid, of=f"{uid}-e{1 + number}"))
        writer.end_session(leaked(session(uid)))
    writer.close()
    assert identities(run_of(home, "s-one")) == identities(run_of(home, "s-two"))
    all_of = identities(run_of(told, "s-all"))
    assert len(set(all_of)) == len(all_of)


def test_the_gravest_are_kept_when_there_are_too_many(told: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif_report, "MOST_RESULTS", 2)
    run = run_of(told, "s-all")
    assert [result["properties"]["severity"] for result in run["results"]] == [Severity.CRITICAL.value] * 2
    assert "less grave" in run["invocations"][0]["toolExecutionNotifications"][-1]["message"]["text"]
