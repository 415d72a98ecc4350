"""What `check` knows as data (policies/posture.yaml): places, MCP configurations, secrets managers, environments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agentguard.detect.files import FilePattern, FilePatterns
from agentguard.detect.policy_yaml import Table, load_mapping, strings, table_list, text

ELSEWHERE = "code"
"""The place of a file that no entry names: code and configuration."""
MCP_PLACE = "mcp"

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class McpAgent:
    """Where one agent keeps its MCP servers."""

    id: str
    name: str
    paths: tuple[str, ...]
    servers: tuple[tuple[str, ...], ...]
    """Keys that lead to the servers; `*` is any key."""
    reference: str
    """How the file names an environment variable NAME; "" when it cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """A secrets manager, and how a reference to it looks."""

    id: str
    name: str
    regex: re.Pattern[bytes]
    keywords: tuple[bytes, ...]
    examples_match: tuple[str, ...] = ()
    examples_no_match: tuple[str, ...] = ()


class Catalogue:
    """The file, read. Immutable."""

    def __init__(
        self,
        places: Sequence[FilePattern],
        agents: Sequence[McpAgent],
        managers: Sequence[Manager],
        environments: Mapping[str, Sequence[str]],
    ) -> None:
        self.agents = {agent.id: agent for agent in agents}
        self.managers = tuple(managers)
        self._environment = {word: name for name, words in environments.items() for word in words}
        self._patterns = FilePatterns(
            [*places, *(FilePattern(id=_mcp_id(agent.id), paths=agent.paths) for agent in agents)]
        )

    def place(self, path: str) -> str:
        """The id of the place an absolute path is of: `log`, `notebook`, `mcp`, ..., or `ELSEWHERE`."""
        pattern = self._patterns.match_name(path)
        return ELSEWHERE if pattern is None else pattern.id.partition(":")[0]

    def agent(self, path: str) -> McpAgent | None:
        """The agent whose MCP configuration an absolute path is."""
        pattern = self._patterns.match_name(path)
        kind, _, agent = ("", "", "") if pattern is None else pattern.id.partition(":")
        return self.agents[agent] if kind == MCP_PLACE else None

    @property
    def place_patterns(self) -> tuple[FilePattern, ...]:
        """Every place with its globs and examples."""
        return self._patterns.patterns

    def home_globs(self) -> list[str]:
        """Globs below the home folder, without `~/`."""
        return [glob for glob, _ in self._patterns.home_globs()]

    def environment(self, words: Iterable[str]) -> str:
        """Which environment the words of a path, a section or a variable's name speak of; "" for none."""
        for text_ in words:
            for word in _WORDS.findall(text_):
                found = self._environment.get(word.lower())
                if found:
                    return found
        return ""


def load_catalogue(path: Path) -> Catalogue:
    """Read policies/posture.yaml.

    Raises:
        PolicyError: it cannot be read or is invalid; names the file, the line and what is wrong.
    """
    data = load_mapping(path, allowed=("places", "mcp", "managers", "environments"))
    environments = data.table("environments")
    return Catalogue(
        [_place(entry) for entry in table_list(data, "places")],
        [_agent(entry) for entry in table_list(data, "mcp")],
        [_manager(entry) for entry in table_list(data, "managers")],
        {name: strings(environments, name) for name in environments.values},
    )


def _place(entry: Table) -> FilePattern:
    entry.only("id", "names", "paths", "examples")
    examples = entry.table("examples")
    return FilePattern(
        id=text(entry, "id", required=True),
        names=strings(entry, "names"),
        paths=_paths(entry),
        examples_match=strings(examples, "match"),
        examples_no_match=strings(examples, "no_match"),
    )


def _agent(entry: Table) -> McpAgent:
    entry.only("id", "name", "paths", "servers", "reference")
    return McpAgent(
        id=text(entry, "id", required=True),
        name=text(entry, "name", required=True),
        paths=_paths(entry),
        servers=tuple(tuple(keys.split("/")) for keys in strings(entry, "servers")),
        reference=text(entry, "reference"),
    )


def _manager(entry: Table) -> Manager:
    entry.only("id", "name", "pattern", "keywords", "examples")
    examples = entry.table("examples")
    try:
        regex = re.compile(text(entry, "pattern", required=True).encode())
    except re.error as error:
        raise entry.error(f"pattern: {error}") from None
    return Manager(
        id=text(entry, "id", required=True),
        name=text(entry, "name", required=True),
        regex=regex,
        keywords=tuple(word.encode() for word in strings(entry, "keywords")),
        examples_match=strings(examples, "match"),
        examples_no_match=strings(examples, "no_match"),
    )


def _paths(entry: Table) -> tuple[str, ...]:
    paths = strings(entry, "paths")
    for path in paths:
        if not path.startswith("~/"):
            raise entry.error(f"path {path!r} must begin with ~/")
    return paths


def _mcp_id(agent: str) -> str:
    return f"{MCP_PLACE}:{agent}"
