"""The data of posture: every example of every place and manager, and what the file refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from posture_support import catalogue

from agentguard.errors import PolicyError
from agentguard.paths import policies_dir
from agentguard.posture.catalogue import ELSEWHERE, load_catalogue


@pytest.mark.parametrize(
    "pattern", [one for one in catalogue().place_patterns if one.examples_match], ids=lambda one: one.id
)
def test_examples_of_places(pattern) -> None:
    assert [path for path in pattern.examples_match if catalogue().place(path) != pattern.id] == []
    assert [path for path in pattern.examples_no_match if catalogue().place(path) == pattern.id] == []


@pytest.mark.parametrize("manager", catalogue().managers, ids=lambda one: one.id)
def test_examples_of_managers(manager) -> None:
    def told(text: str) -> bool:
        data = text.encode()
        return any(word in data for word in manager.keywords) and manager.regex.search(data) is not None

    assert manager.examples_match
    assert [text for text in manager.examples_match if not told(text)] == []
    assert [text for text in manager.examples_no_match if told(text)] == []


@pytest.mark.parametrize(
    ("path", "agent"),
    [
        ("/src/shop/.mcp.json", "claude-code"),
        ("/home/ada/.claude.json", "claude-code"),
        ("/home/ada/.config/Claude/claude_desktop_config.json", "claude-desktop"),
        ("/src/shop/.cursor/mcp.json", "cursor"),
        ("/src/shop/.vscode/mcp.json", "vscode"),
        ("/home/ada/.codeium/windsurf/mcp_config.json", "windsurf"),
        ("/home/ada/.codex/config.toml", "codex"),
        ("/home/ada/.gemini/settings.json", "gemini"),
        ("/home/ada/.config/opencode/opencode.json", "opencode"),
        ("/home/ada/.config/zed/settings.json", "zed"),
        ("/home/ada/.cline/data/settings/cline_mcp_settings.json", "cline"),
        ("/home/ada/.continue/config.yaml", "continue"),
        ("/src/shop/mcp.json", None),
    ],
)
def test_whose_configuration_a_file_is(path: str, agent: str | None) -> None:
    found = catalogue().agent(path)
    assert (found.id if found else None) == agent


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        ([".env.production"], "production"),
        (["STRIPE_LIVE_KEY"], "production"),
        (["apiKeyStaging"], "staging"),
        (["k8s", "overlays", "uat"], "staging"),
        (["test_pay.py"], "test"),
        (["product.py", "delivery", "devices", "prodigy"], ""),
    ],
)
def test_words_for_environments(words: list[str], environment: str) -> None:
    assert catalogue().environment(words) == environment


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("places:\n  - {id: x, paths: [etc/x]}", "must begin with ~/"),
        ("managers:\n  - {id: x, name: X, pattern: '(', keywords: [x]}", "pattern:"),
        ("mcp:\n  - {id: x, name: X, paths: ['~/x'], server: [y]}", "unknown key 'server'"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, line: str, complaint: str) -> None:
    whole = (policies_dir() / "posture.yaml").read_text()
    head, _, rest = line.partition("\n")
    path = tmp_path / "posture.yaml"
    path.write_text(whole.replace(f"\n{head}\n", f"\n{head}\n{rest}\n", 1))
    with pytest.raises(PolicyError, match=complaint) as error:
        load_catalogue(path)
    assert f"{path}:" in str(error.value)


def test_a_file_of_no_place_is_code() -> None:
    assert catalogue().place("/src/shop/src/pay.py") == ELSEWHERE
