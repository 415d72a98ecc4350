"""MCP configurations of every format: what stands in them as a value, and what only refers to one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness.untidy import Keys, write
from hypothesis import given, settings
from hypothesis import strategies as st
from posture_support import catalogue, look_at, of_check, scanner

from agentguard.model.posture import Check
from agentguard.posture import jsonc
from agentguard.posture.catalogue import McpAgent
from agentguard.posture.mcp_file import inline_values

KEYS = Keys()
TOKEN = KEYS.password("token")
GITHUB = KEYS.github("mcp")


def names(agent: str, path: str, text: str) -> list[tuple[str, str]]:
    """(server, name) of each value found."""
    return [(one.server, one.match.name) for one in inline_values(catalogue().agents[agent], path, text, scanner())]


def servers(**configuration: object) -> str:
    return json.dumps({"mcpServers": {"s": configuration}})


@pytest.mark.parametrize(
    ("configuration", "name"),
    [
        ({"env": {"API_TOKEN": TOKEN}}, "API_TOKEN"),
        ({"env": {"ANY": GITHUB}}, "ANY"),
        ({"headers": {"Authorization": f"Bearer {TOKEN}"}}, "Authorization"),
        ({"args": ["--api-key", TOKEN]}, "api-key"),
        ({"args": [f"--api-key={TOKEN}"]}, "api-key"),
        ({"args": ["run", "-e", f"API_TOKEN={TOKEN}", "image"]}, "API_TOKEN"),
        ({"args": ["--header", f"X-Api-Key: {TOKEN}"]}, "X-Api-Key"),
        ({"url": f"https://mcp.example.org/sse?api_key={TOKEN}"}, "api_key"),
        ({"url": f"https://ada:{TOKEN}@mcp.example.org/"}, "password"),
        ({"command": {"path": "npx", "env": {"SECRET": TOKEN}}}, "SECRET"),
    ],
)
def test_a_value_is_found_wherever_it_stands(configuration: dict[str, object], name: str) -> None:
    assert names("cursor", "mcp.json", servers(**configuration)) == [("s", name)]


@pytest.mark.parametrize(
    "value",
    [
        "${API_TOKEN}",
        "${env:API_TOKEN}",
        "{env:API_TOKEN}",
        "$API_TOKEN",
        "${input:token}",
        "${{ secrets.API_TOKEN }}",
        "op://shop/api/key",
        "YOUR_API_KEY",
        "<your token here>",
        "changeme",
        "true",
        "",
    ],
)
def test_a_reference_or_a_fill_in_is_no_value(value: str) -> None:
    for configuration in (
        {"env": {"API_TOKEN": value}},
        {"headers": {"Authorization": f"Bearer {value}"}},
        {"args": ["--token", value]},
    ):
        assert names("cursor", "mcp.json", servers(**configuration)) == []


def test_codex_names_variables() -> None:
    good = '[mcp_servers.a]\nurl = "https://x"\nbearer_token_env_var = "MY_TOKEN_OF_PAY"\nenv_vars = ["API_TOKEN"]\n'
    bad = f'[mcp_servers.b.env]\nAPI_TOKEN = "{TOKEN}"\n[mcp_servers.c.http_headers]\nX-Api-Key = "{TOKEN}"\n'
    assert names("codex", "config.toml", good + bad) == [("b", "API_TOKEN"), ("c", "X-Api-Key")]


def test_other_shapes() -> None:
    listed = f"mcpServers:\n  - name: pay\n    env:\n      API_TOKEN: {TOKEN}\n"
    assert names("continue", "config.yaml", listed) == [("pay", "API_TOKEN")]
    by_project = json.dumps({"projects": {"/src/shop": {"mcpServers": {"pay": {"env": {"API_TOKEN": TOKEN}}}}}})
    assert names("claude-code", ".claude.json", by_project) == [("pay", "API_TOKEN")]
    commented = '{\n// mine\n"servers": {"pay": {"env": {"API_TOKEN": "' + TOKEN + '", /* x */ }, }, }, }'
    assert names("vscode", "mcp.json", commented) == [("pay", "API_TOKEN")]
    literal_dot = json.dumps({"amp.mcpServers": {"pay": {"env": {"API_TOKEN": TOKEN}}}})
    assert names("amp", "settings.json", literal_dot) == [("pay", "API_TOKEN")]


def test_what_is_not_of_a_server_is_left_alone() -> None:
    assert names("zed", "settings.json", json.dumps({"api_key": TOKEN, "context_servers": {}})) == []


@pytest.mark.parametrize(
    ("path", "text"), [("a.json", "{"), ("a.toml", "="), ("a.yaml", "a: ["), ("a.yaml", "!!python/object:x {}")]
)
def test_a_broken_file_is_told_without_its_text(path: str, text: str) -> None:
    with pytest.raises(ValueError, match="not valid") as error:
        inline_values(catalogue().agents["cursor"], path, f"{text}{TOKEN if path != 'a.toml' else ''}", scanner())
    assert TOKEN not in str(error.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=50, deadline=None)
@given(JSON, st.sampled_from(["", " ", '\n// a comment, "quoted"\n', "/* x, } */"]))
def test_json_with_comments_is_the_same_json(value: object, between: str) -> None:
    text = json.dumps(value, indent=1)
    assert jsonc.loads(text) == value
    spaced = text.replace("\n", f"{between}\n") if "\n" in text else between + text
    assert jsonc.loads(spaced) == value


@settings(max_examples=50, deadline=None)
@given(JSON)
def test_no_shape_of_servers_raises(value: object) -> None:
    inline_values(catalogue().agents["cursor"], "mcp.json", json.dumps({"mcpServers": value}), scanner())


@pytest.mark.parametrize("agent", catalogue().agents.values(), ids=lambda one: one.id)
def test_every_agents_configurations_are_found_at_home_and_in_a_project(agent: McpAgent, tmp_path: Path) -> None:
    """Each path of the list, with a secret in its first place for servers."""
    home, project = tmp_path / "ada", tmp_path / "shop"
    project.mkdir()
    written = set()
    for path in agent.paths:
        below = path.removeprefix("~/").replace("*", "pay")
        write(home, below, configuration(agent, below))
        written.add(f"~/{below}")
    found = of_check(look_at(project, home=home), Check.MCP)
    assert {place.path for one in found for place in one.places} == written
    assert all(one.name == "API_TOKEN" and "pay" in one.title and agent.name in one.title for one in found)
    assert look_at(project).weaknesses == (), "and the home folder only where it is asked for"
    below = agent.paths[0].removeprefix("~/").replace("*", "pay")
    write(project, below, configuration(agent, below))
    assert [one.places[0].path for one in of_check(look_at(project), Check.MCP)] == [below]


@pytest.mark.parametrize(
    "configuration",
    [
        {"url": f"https://ada:{TOKEN}@mcp.example.org/"},
        {"url": f"https://mcp.example.org/?token={TOKEN}"},
        {"headers": {"Authorization": f"Bearer {TOKEN}"}},
        {"headers": {"X-Api-Key": KEYS.openai()}},
        {"args": ["-y", "pay", "--api-key", TOKEN]},
        {"args": ["run", "-e", f"DB_PASSWORD={TOKEN}"]},
        {"env": {"DATABASE_URL": f"postgres://app:{TOKEN}@db.example.internal/shop"}},
    ],
)
def test_a_value_is_told_once_whoever_finds_it(tmp_path: Path, configuration: dict[str, object]) -> None:
    write(tmp_path, ".cursor/mcp.json", json.dumps({"mcpServers": {"pay": configuration}}, indent=2))
    found = look_at(tmp_path)
    assert [one.check for one in found.weaknesses] == [Check.MCP]
    assert found.weaknesses[0].places[0].line > 0
    assert found.credentials == 1


def configuration(agent: McpAgent, path: str) -> str:
    whole: object = {"pay": {"command": "pay", "env": {"API_TOKEN": TOKEN}}}
    for key in reversed(agent.servers[0]):
        whole = {"/src/shop" if key == "*" else key: whole}
    if path.endswith(".toml"):
        return f'[{agent.servers[0][0]}.pay.env]\nAPI_TOKEN = "{TOKEN}"\n'
    return json.dumps(whole, indent=2)
