"""What ships: every example comes out, every name in it exists, and whole stories end as they should."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from judge_builders import CATALOGUE, CONTEXT, case, match, send

from agentguard.detect.gate_bypass import ROUND_THE_HOOKS
from agentguard.judge.examples import check_examples
from agentguard.judge.load import load_file, load_policy
from agentguard.judge.match import TextIs
from agentguard.judge.parse import parse_policy
from agentguard.judge.policy import Policy
from agentguard.judge.vocabulary import WORDS
from agentguard.model.secret import CONTENT_KIND
from agentguard.model.verdict import Disposition, Outcome, Severity
from agentguard.paths import policies_dir

NAMES = ("default.yaml", "strict.yaml")
DEFAULT = load_policy(home=None, workspace=None)
STRICT = load_policy(home=None, workspace=None, base=policies_dir() / "strict.yaml")


def _ids(name: str, key: str) -> set[str]:
    data = yaml.safe_load((policies_dir() / name).read_text(encoding="utf-8"))
    return {entry["id"] for entry in (data[key] if key else data)}


def _types() -> list[tuple[str, tuple[str, ...]]]:
    data = yaml.safe_load((policies_dir() / "secrets.yaml").read_text(encoding="utf-8"))
    entries = data if isinstance(data, list) else next(value for value in data.values() if isinstance(value, list))
    return [(entry["id"], tuple(entry.get("issuer_hosts") or ())) for entry in entries]


@pytest.mark.parametrize("name", NAMES)
def test_every_example_comes_out(name: str) -> None:
    rules = load_file(policies_dir() / name).rules
    judged = load_policy(home=None, workspace=None, base=policies_dir() / name)
    assert [(f.rule.id, f.example.line, f.fired) for f in check_examples(judged, rules, CONTEXT)] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_has_a_description_and_an_example_that_fires_it(name: str) -> None:
    for rule in load_file(policies_dir() / name).rules:
        assert rule.description, rule.id
        assert any(example.expected for example in rule.examples), rule.id


def test_the_last_default_rule_takes_everything() -> None:
    assert load_file(policies_dir() / "default.yaml").rules[-1].conditions == ()


@pytest.mark.parametrize("name", NAMES)
def test_every_file_kind_type_and_command_named_by_a_rule_exists(name: str) -> None:
    known = {
        "file_kind": _ids("files.yaml", "patterns") | {CONTENT_KIND},
        "command_rule": _ids("commands.yaml", "commands") | set(ROUND_THE_HOOKS),
        "type": {type_id for type_id, _ in _types()} | {"known-value"},
    }
    for rule in load_file(policies_dir() / name).rules:
        for condition in rule.conditions:
            if isinstance(condition, TextIs) and condition.word in known:
                for wanted in condition.wanted:
                    assert "*" in wanted or wanted in known[condition.word], f"{rule.id}: {wanted}"


@pytest.mark.parametrize(("type_id", "issuers"), _types())
def test_each_credential_type_at_its_issuer_in_a_prompt_and_on_a_paste_site(
    type_id: str, issuers: tuple[str, ...]
) -> None:
    leak = DEFAULT.judge(send(match(type=type_id, issuer_hosts=issuers)), CONTEXT)
    assert (leak.severity, leak.outcome) == (Severity.CRITICAL, Outcome.LEAKED)
    prompt = DEFAULT.judge(send(match(type=type_id, issuer_hosts=issuers), host="api.anthropic.com"), CONTEXT)
    assert prompt.outcome is Outcome.EXPOSED
    for host in issuers:
        used = match("header:authorization", type=type_id, issuer_hosts=issuers)
        verdict = DEFAULT.judge(send(used, host=host), CONTEXT)
        assert (verdict.disposition, verdict.outcome) == (Disposition.LOGGED, Outcome.CLEAN), host


@pytest.mark.parametrize("kind", sorted(_ids("files.yaml", "patterns")))
def test_cat_of_any_secret_file_raises_an_alert(kind: str) -> None:
    verdict = DEFAULT.judge(*case(kind="file", path="/home/ada/x", file_kind=kind, process="cat"))
    assert verdict.disposition is Disposition.ALERT
    assert verdict.severity.rank >= Severity.MEDIUM.rank


def story(**words: str | list[str]) -> tuple[str, Outcome]:
    verdict = DEFAULT.judge(*case(**words))
    return verdict.rule.removeprefix("policies/default.yaml:"), verdict.outcome


def test_an_agents_own_login_may_go_where_it_logs_in() -> None:
    own = {"type": "known-value", "source": "/home/ada/.codex/auth.json", "agent": "codex"}
    assert story(host="chatgpt.com", place="header:authorization", **own) == ("expected-use", Outcome.CLEAN)
    refresh = story(host="auth.openai.com", path="/oauth/token", place="body", **own)
    assert refresh == ("issuer-sign-in", Outcome.CLEAN)
    assert story(host="chatgpt.com", place="body", **own) == ("exposed-to-model", Outcome.EXPOSED)
    assert story(host="paste.example", place="header:authorization", **own)[1] is Outcome.LEAKED
    elsewhere = {**own, "source": "/src/evil/.codex/auth.json"}
    assert story(host="auth.openai.com", path="/oauth/token", place="body", **elsewhere)[1] is Outcome.LEAKED


def test_another_agent_in_the_session_reads_its_own_login_too() -> None:
    read = {"kind": "file", "file_kind": "agent-login", "path": "/home/ada/.codex/auth.json", "file_agent": "codex"}
    assert story(process="codex", argv=["codex"], agent="codex", **read)[0] == "agent-own-login"
    assert story(process="cat", argv=["cat"], agent="codex", **read)[0] == "read-login-or-key"
    assert story(process="claude", argv=["claude"], agent="claude", **read)[0] == "read-login-or-key"


def test_reads_of_dotenv() -> None:
    read = {"kind": "file", "path": "/src/shop/.env", "file_kind": "dotenv"}
    assert story(process="node", argv=["node", "server.js"], **read)[0] == "dev-server-reads-dotenv"
    assert story(process="node", argv=["node", "/x/bin/gemini"], agent="gemini", **read)[0] == "agent-reads-secret"
    assert story(process="node", argv=["node", "-e", "1"], **read)[0] == "read-secret"
    assert story(process="bash", argv=["bash", "-c", "cat <.env"], **read)[0] == "read-secret"
    assert story(process="git", argv=["git", "add", "-A"], **read)[0] == "git-reads-project-file"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"gap": "sensor-unavailable", "secret_within_reach": "false"}, Outcome.UNKNOWN),
        ({"gap": "sensor-unavailable", "covered_by": "watchdog"}, Outcome.CLEAN),
        ({"gap": "unattributed-open", "secret_within_reach": "false"}, Outcome.UNKNOWN),
        ({"gap": "io-uring", "covered_by": "watchdog"}, Outcome.CLEAN),
        ({"gap": "io-uring"}, Outcome.UNKNOWN),
        ({"gap": "tls-refused", "secret_within_reach": "false"}, Outcome.CLEAN),
        ({"gap": "tls-refused"}, Outcome.UNKNOWN),
        ({"gap": "refused-client"}, Outcome.CLEAN),
        ({"gap": "guard-died", "secret_within_reach": "false"}, Outcome.UNKNOWN),
        ({"gap": "proxy-bypass", "host": "::1", "process": "node"}, Outcome.CLEAN),
        ({"gap": "proxy-bypass", "host": "10.1.2.3", "process": "node"}, Outcome.UNKNOWN),
        ({"gap": "proxy-bypass", "host": "203.0.113.1", "process": "ssh", "ancestors": ["git"]}, Outcome.CLEAN),
        ({"gap": "proxy-bypass", "host": "203.0.113.1", "process": "ssh", "ancestors": ["bash"]}, Outcome.UNKNOWN),
        ({"gap": "proxy-bypass", "host": "203.0.113.1", "process": "scp"}, Outcome.UNKNOWN),
    ],
)
def test_which_gaps_count(words: dict[str, str | list[str]], expected: Outcome) -> None:
    assert story(kind="gap", **words)[1] is expected


def test_strict_blocks_what_default_reports() -> None:
    for finding in (send(match()), send(match(), host="api.anthropic.com"), send(match(), host="10.0.0.9")):
        held = STRICT.judge(finding, case(CONTEXT)[1])
        assert held.disposition is Disposition.ALERT, "it has passed: no caller holds it"
    from dataclasses import replace

    holding = replace(CONTEXT, can_hold=True)
    for host in ("paste.example", "api.anthropic.com", "10.0.0.9"):
        assert STRICT.judge(send(match(), host=host), holding).disposition is Disposition.BLOCKED
        assert DEFAULT.judge(send(match(), host=host), holding).disposition is not Disposition.BLOCKED
    assert STRICT.judge(send(match(), host="127.0.0.1"), holding).disposition is Disposition.LOGGED


def test_no_host_of_an_agent_is_both_a_model_and_a_telemetry_or_code_host() -> None:
    for host in ("api.github.com", "github.com", "telemetry.individual.githubcopilot.com", "ab.chatgpt.com"):
        assert not CONTEXT.models.matches(host), host
    assert CONTEXT.models.matches("eu-west-1-aiplatform.googleapis.com")
    assert CONTEXT.models.matches("bedrock-runtime.eu-west-1.amazonaws.com")
    assert not CONTEXT.models.matches("s3.amazonaws.com")
    assert len(CATALOGUE.agents) == 17


def test_the_cookbook_is_valid_and_names_every_word() -> None:
    text = (policies_dir() / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 5
    for block in blocks:
        whole = block if block.startswith("version:") else f"version: 1\nrules:\n{block}"
        rules = parse_policy(whole.encode(), source="README.md", shown="README.md").rules
        assert check_examples(Policy(rules), rules, CONTEXT) == []
    for word in WORDS:
        assert f"`{word}`" in text, f"{word} is not explained"


def test_the_data_names_no_scannable_secret() -> None:
    for name in (*NAMES, "agents.yaml", "README.md"):
        text = Path(policies_dir() / name).read_text(encoding="utf-8")
        assert not re.search(r"\b(sk-|ghp_|AKIA|xox[bp]-|AIza|glpat-|npm_[A-Za-z0-9]{20})", text), name
