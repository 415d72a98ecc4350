"""First match wins, the worst match of a request decides, and a verdict says what happened."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from judge_builders import CONTEXT, case, match, policy, send

from agentguard.judge.context import Context
from agentguard.judge.policy import NO_RULE, Policy
from agentguard.model.finding import Flow, Kind
from agentguard.model.verdict import Destination, Disposition, Outcome, Severity

RULE = """
  - id: {id}
    when: {when}
    then: {{disposition: {disposition}, severity: {severity}, outcome: {outcome}, reason: "{id} spoke"}}
"""


def rules(*lines: tuple[str, str, str, str, str]) -> str:
    keys = ("id", "when", "disposition", "severity", "outcome")
    return "version: 1\nrules:\n" + "".join(RULE.format(**dict(zip(keys, line, strict=True))) for line in lines)


def test_the_first_rule_that_holds_wins() -> None:
    judged = policy(
        rules(
            ("one", "{host: a.example}", "logged", "info", "clean"),
            ("two", "{kind: http}", "alert", "high", "leaked"),
            ("three", "{}", "ignored", "info", "clean"),
        )
    )
    assert judged.judge(*case(kind="http", host="a.example", type="x")).rule == "policy.yaml:one"
    assert judged.judge(*case(kind="http", host="b.example", type="x")).rule == "policy.yaml:two"
    assert judged.judge(*case(kind="file", path="/x/.env")).rule == "policy.yaml:three"


def test_an_event_that_no_rule_speaks_of_cannot_be_clean() -> None:
    verdict = Policy(()).judge(*case(kind="file", path="/x/.env"))
    assert verdict.rule == NO_RULE.name
    assert verdict.outcome is Outcome.UNKNOWN


def test_every_kind_of_event_gets_a_verdict() -> None:
    for kind in Kind:
        assert Policy(()).judge(*case(kind=kind)).rule == NO_RULE.name


def test_the_worst_match_decides_whatever_the_order() -> None:
    judged = policy(
        rules(
            ("mild", "{type: mild}", "logged", "low", "clean"),
            ("bad", "{type: bad}", "alert", "critical", "leaked"),
            ("middle", "{type: middle}", "alert", "high", "exposed"),
        )
    )
    mild, middle, bad = (match(type=name, fingerprint=name) for name in ("mild", "middle", "bad"))
    for order in ((mild, middle, bad), (bad, middle, mild), (middle, bad, mild)):
        assert judged.judge(send(*order), CONTEXT).rule == "policy.yaml:bad"
    assert judged.judge(send(mild, middle), CONTEXT).rule == "policy.yaml:middle"


def test_at_one_severity_the_worse_outcome_decides() -> None:
    judged = policy(
        rules(
            ("exposed", "{type: a}", "alert", "high", "exposed"),
            ("leaked", "{type: b}", "alert", "high", "leaked"),
        )
    )
    assert judged.judge(send(match(type="a"), match(type="b")), CONTEXT).rule == "policy.yaml:leaked"


def test_the_worst_outcome_is_kept_even_when_another_match_is_more_severe() -> None:
    judged = policy(
        rules(
            ("severe", "{type: a}", "alert", "critical", "clean"),
            ("leaked", "{type: b}", "alert", "low", "leaked"),
        )
    )
    verdict = judged.judge(send(match(type="a"), match(type="b")), CONTEXT)
    assert (verdict.rule, verdict.outcome) == ("policy.yaml:severe", Outcome.LEAKED)


def test_matches_that_differ_in_anything_a_rule_may_ask_are_judged_apart() -> None:
    judged = policy(
        rules(
            ("known", "{known_source: true}", "alert", "high", "leaked"),
            ("rest", "{}", "logged", "info", "clean"),
        )
    )
    plain, read = match(fingerprint="a" * 32), match(fingerprint="b" * 32)
    assert judged.judge(send(plain, match(source_path="/x/.env")), CONTEXT).rule == "policy.yaml:known"
    flowing = replace(send(plain, read), flow=Flow("uid", 1.0, "b" * 32))
    assert judged.judge(flowing, CONTEXT).rule == "policy.yaml:known"
    assert judged.judge(send(plain, read), CONTEXT).rule == "policy.yaml:rest"


def test_a_command_is_judged_for_itself_and_for_the_secrets_in_it() -> None:
    judged = policy(
        rules(
            ("argv", "{place: argv}", "logged", "low", "clean"),
            ("command", "{command_rule: vault-kv-get}", "alert", "high", "clean"),
        )
    )
    finding, context = case(kind="command", command_rule="vault-kv-get", type="x")
    assert judged.judge(finding, context).rule == "policy.yaml:command"


BLOCK = rules(
    ("stop", "{type: database-url}", "blocked", "high", "leaked"),
    ("rest", "{}", "alert", "critical", "leaked"),
)


def test_blocked_where_the_caller_still_holds_the_request() -> None:
    verdict = policy(BLOCK).judge(send(match()), replace(CONTEXT, can_hold=True))
    assert (verdict.disposition, verdict.outcome) == (Disposition.BLOCKED, Outcome.CLEAN)


def test_blocked_becomes_an_alert_with_its_outcome_when_the_request_has_passed() -> None:
    verdict = policy(BLOCK).judge(send(match()), CONTEXT)
    assert (verdict.disposition, verdict.outcome) == (Disposition.ALERT, Outcome.LEAKED)
    assert verdict.rule == "policy.yaml:stop"
    assert "could not be held" in verdict.reason


def test_a_request_already_refused_is_blocked_by_the_rule_that_refused_it() -> None:
    finding = replace(send(match(type="other")), enforced_rule="policies/strict.yaml:leak")
    verdict = policy(BLOCK).judge(finding, CONTEXT)
    assert (verdict.disposition, verdict.outcome) == (Disposition.BLOCKED, Outcome.CLEAN)
    assert verdict.rule == "policies/strict.yaml:leak"


def test_one_match_to_be_blocked_holds_the_whole_request() -> None:
    finding = send(match(), match(type="worse"))
    assert policy(BLOCK).judge(finding, replace(CONTEXT, can_hold=True)).disposition is Disposition.BLOCKED
    assert policy(BLOCK).judge(finding, CONTEXT).outcome is Outcome.LEAKED


BASE = rules(
    ("read", "{kind: file}", "alert", "medium", "clean"),
    ("send", "{kind: http}", "alert", "high", "leaked"),
)


@pytest.mark.parametrize(
    ("line", "fires"),
    [
        (("x", "{kind: file}", "alert", "high", "clean"), True),
        (("x", "{kind: file}", "blocked", "medium", "clean"), True),
        (("x", "{kind: file}", "alert", "medium", "unknown"), True),
        (("x", "{kind: file}", "alert", "medium", "clean"), False),
        (("x", "{kind: file}", "logged", "critical", "clean"), False),
        (("x", "{kind: file}", "blocked", "info", "leaked"), False),
        (("x", "{kind: file}", "ignored", "info", "clean"), False),
    ],
)
def test_an_untrusted_policy_is_heard_only_where_it_is_stricter(
    line: tuple[str, str, str, str, str], fires: bool
) -> None:
    verdict = policy(BASE, stricter=rules(line)).judge(*case(kind="file", path="/x/.env"))
    assert (verdict.rule == ".agentguard.yaml:x") is fires


def test_an_untrusted_policy_cannot_lower_the_outcome() -> None:
    louder = rules(("x", "{}", "alert", "critical", "clean"))
    verdict = policy(BASE, stricter=louder).judge(send(match()), CONTEXT)
    assert (verdict.rule, verdict.severity, verdict.outcome) == (
        ".agentguard.yaml:x",
        Severity.CRITICAL,
        Outcome.LEAKED,
    )


def test_the_destination_is_the_one_the_rule_asked_for() -> None:
    judged = policy(
        rules(("model", "{destination: model}", "alert", "high", "exposed"), ("rest", "{}", "logged", "info", "clean"))
    )
    finding = send(match(issuer_hosts=("api.openai.com",)), host="api.openai.com")
    assert judged.judge(finding, CONTEXT).destination is Destination.MODEL
    only_issuer = judged.judge(send(match(issuer_hosts=("x.example",)), host="x.example"), CONTEXT)
    assert only_issuer.destination is Destination.ISSUER
    assert judged.judge(*case(kind="file", path="/x")).destination is None


def test_a_policy_can_be_handed_to_another_process() -> None:
    original = policy(BASE, stricter=rules(("x", "{host: '*.a.example'}", "alert", "critical", "clean")))
    copy = pickle.loads(pickle.dumps(original))
    for finding in (send(match()), send(match(), host="b.a.example"), case(kind="file", path="/x")[0]):
        assert copy.judge(finding, CONTEXT) == original.judge(finding, CONTEXT)


def test_a_reason_is_safe_to_print_whatever_a_file_is_called() -> None:
    judged = policy(
        'version: 1\nrules:\n  - {id: r, then: {disposition: alert, severity: low, reason: "{process} {file}!"}}'
    )
    verdict = judged.judge(*case(kind="file", path="/x/\x1b[31m\n" + "a" * 5000 + "\udcff", process="cat"))
    assert verdict.reason.isprintable()
    assert len(verdict.reason) < 200


def test_the_root_process_of_an_unknown_agent_is_the_agent() -> None:
    judged = policy(rules(("agent", "{agent_process: true}", "alert", "high", "clean")))
    finding, _ = case(kind="file", path="/x/.env", process="mystery")
    assert finding.process is not None
    assert judged.judge(finding, replace(CONTEXT, root_pid=finding.process.pid)).rule == "policy.yaml:agent"
    assert judged.judge(finding, Context(root_pid=1)).rule == NO_RULE.name


def test_a_root_that_reads_the_files_it_is_made_for_is_no_agent() -> None:
    judged = policy(rules(("agent", "{agent_process: true}", "alert", "high", "clean")))
    words = {"kind": "file", "path": "/home/ada/.ssh/id_rsa", "process": "ssh"}
    root = replace(CONTEXT, root_pid=4242)
    assert judged.judge(case(**words, expected_readers=["ssh"])[0], root).rule == NO_RULE.name
    assert judged.judge(case(**words, expected_readers=["age"])[0], root).rule == "policy.yaml:agent"


def test_a_login_kept_in_a_folder_is_known_by_its_glob() -> None:
    judged = policy(rules(("own", "{destination: issuer, issuer_known: true}", "logged", "info", "clean")))
    source = "/home/ada/.config/github-copilot/apps.json"
    assert judged.judge(*case(host="api.github.com", type="x", source=source)).rule == "policy.yaml:own"
    assert judged.judge(*case(host="api.github.com", type="x", source="/x/apps.json")).rule == NO_RULE.name


def test_the_launcher_of_a_known_agent_is_not_the_agent() -> None:
    judged = policy(rules(("agent", "{agent_process: true}", "alert", "high", "clean")))
    npx, _ = case(kind="file", path="/x/.npmrc", process="node", argv=["node", "/usr/bin/npx", "@google/gemini-cli"])
    gemini, _ = case(kind="file", path="/x/.npmrc", process="node", argv=["node", "/x/bin/gemini"])
    context = replace(CONTEXT, session_agent="gemini", root_pid=4242)
    assert judged.judge(npx, context).rule == NO_RULE.name
    assert judged.judge(gemini, context).rule == "policy.yaml:agent"
