"""Agents are known by their command lines, and by nothing that only mentions them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agentguard.attribute.agents import load_agents
from agentguard.errors import PolicyError
from agentguard.paths import policies_dir

FILE = policies_dir() / "agents.yaml"
CATALOGUE = load_agents(FILE)
ENTRIES = yaml.safe_load(FILE.read_text(encoding="utf-8"))["agents"]

EXAMPLES = [(entry["id"], argv) for entry in ENTRIES for argv in entry["examples"]["match"]]
OTHERS = [argv for entry in ENTRIES for argv in entry["examples"]["no_match"]]


@pytest.mark.parametrize(("agent_id", "argv"), EXAMPLES, ids=[" ".join(argv) for _, argv in EXAMPLES])
def test_each_example_is_its_agent(agent_id: str, argv: list[str]) -> None:
    agent = CATALOGUE.identify(argv, "")
    assert agent is not None
    assert agent.id == agent_id


@pytest.mark.parametrize("argv", OTHERS, ids=[" ".join(argv) for argv in OTHERS])
def test_what_only_mentions_an_agent_is_none(argv: list[str]) -> None:
    assert CATALOGUE.identify(argv, "") is None


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry["id"] for entry in ENTRIES])
def test_each_agent_has_examples_of_both_kinds(entry: dict[str, dict[str, list[str]]]) -> None:
    assert entry["examples"]["match"]
    assert entry["examples"]["no_match"]


@pytest.mark.parametrize(
    ("argv", "exe", "expected"),
    [
        (["node", "/usr/local/bin/gemini"], "/usr/bin/node", "gemini"),
        (["gemini"], "/usr/local/bin/gemini", "gemini"),
        (["pi"], "/usr/bin/node", "pi"),
        (["MainThread"], "/opt/copilot", "copilot"),
        (["claude"], "/home/ada/.local/share/claude/versions/2.1.0", "claude"),
        (["/x/renamed"], "/opt/bin/claude (deleted)", "claude"),
        ([], "/opt/bin/claude", "claude"),
        (["C:\\tools\\claude.exe"], "", "claude"),
        (["npx", "@google/gemini-cli"], "/usr/lib/node_modules/npm/bin/npx-cli.js", "gemini"),
        (["/usr/bin/env", "-u", "X", "FOO=1", "node", "/x/gemini"], "/usr/bin/env", "gemini"),
        (["env", "claude"], "", "claude"),
        (["npm", "exec", "--", "@openai/codex"], "", "codex"),
        (["pnpm", "dlx", "opencode-ai"], "", "opencode"),
        (["uv", "tool", "run", "--from", "aider-chat", "aider"], "", "aider"),
        (["uv", "run", "python", "-m", "aider"], "", "aider"),
        (["bun", "x", "@anthropic-ai/claude-code"], "", "claude"),
        (["bun", "/x/node_modules/@sourcegraph/amp/dist/main.js"], "", "amp"),
        (["python3.12", "-X", "dev", "/venv/bin/aider"], "", "aider"),
        (["node", "/usr/bin/npx", "@google/gemini-cli"], "/usr/bin/node", None),
        (["npm", "install", "-g", "@openai/codex"], "/usr/bin/npm", None),
        (["uv", "pip", "install", "aider-chat"], "/usr/bin/uv", None),
        (["bash", "-c", "claude -p hello"], "/bin/bash", None),
        (["sudo", "claude"], "/usr/bin/sudo", None),
        (["cat", "/opt/bin/claude"], "/usr/bin/cat", None),
        (["node"], "/usr/bin/node", None),
        (["node", "-e", "claude"], "/usr/bin/node", None),
        (["npx"], "", None),
        (["python", "-m"], "", None),
        ([], "", None),
        ([""], "", None),
    ],
)
def test_identify(argv: list[str], exe: str, expected: str | None) -> None:
    agent = CATALOGUE.identify(argv, exe)
    assert (agent.id if agent else None) == expected


@given(st.lists(st.text(max_size=20), max_size=8), st.text(max_size=30))
def test_any_command_line_gets_an_answer(argv: list[str], exe: str) -> None:
    CATALOGUE.identify(argv, exe)


@given(st.lists(st.sampled_from(["npx", "env", "uvx", "node", "python", "-m", "-p", "--", "x=1", "run"]), max_size=200))
def test_wrappers_of_wrappers_end(argv: list[str]) -> None:
    assert CATALOGUE.identify(argv, "") is None


def test_the_seventeen_and_their_hosts() -> None:
    assert len(CATALOGUE.agents) == 17
    hosts = CATALOGUE.model_hosts()
    assert len(hosts) == len(set(hosts))
    for agent in CATALOGUE.agents:
        assert set(agent.model_hosts) <= set(hosts)
        assert not set(agent.login_hosts) & set(agent.model_hosts)
        assert agent.own_credentials, agent.id
        assert CATALOGUE.by_id(agent.id) is agent
        for path in (*agent.own_credentials, *agent.transcripts):
            assert path.startswith(("~/", "/", "*")), path
    for provider in ("api.openai.com", "api.anthropic.com", "openrouter.ai", "bedrock-runtime.*.amazonaws.com"):
        assert provider in hosts
    assert CATALOGUE.by_id("nobody") is None


GOOD = "agents:\n  - {id: a, name: A, exe: a}\nmodel_providers: [x.example]\n"


def test_a_minimal_file(tmp_path: Path) -> None:
    path = tmp_path / "agents.yaml"
    path.write_text(GOOD)
    catalogue = load_agents(path)
    assert catalogue.model_hosts() == ("x.example",)
    agent = catalogue.identify(["a"], "")
    assert agent is not None
    assert agent.cmdline is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", ":1: the file must hold"),
        ("agents: x", ":1: the file must hold"),
        ("agents: [", "not valid YAML"),
        ("agents:\n  - 3", ":2: an agent is a mapping"),
        ("agents:\n  - {id: a, name: A, exe: a, ex: b}", ":2: unknown key 'ex'"),
        ("agents:\n  - {id: a, exe: a}", ":2: name is missing"),
        ("agents:\n  - {id: a, name: A, exe: '('}", ":2: exe is not a regular expression"),
        ("agents:\n  - {id: a, name: A, exe: a, launched: 3}", ":2: launched is not a regular expression"),
        ("agents:\n  - {id: a, name: A, exe: a, comm: a}", ":2: comm must be a list of words"),
        ("agents:\n  - {id: a, name: A, exe: a}\n  - {id: a, name: B, exe: b}", ":3: id 'a' is already used in line 2"),
        ("agents:\n  - {id: a, name: A, exe: a}\nmodel_providers: x", ":1: model_providers must be a list"),
    ],
)
def test_mistakes_are_named_with_file_and_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "agents.yaml"
    path.write_text(text)
    with pytest.raises(PolicyError) as caught:
        load_agents(path)
    assert str(caught.value).startswith(str(path))
    assert words in str(caught.value)


def test_a_missing_file_is_a_policy_error(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        load_agents(tmp_path / "none.yaml")
