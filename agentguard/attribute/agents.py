"""The catalogue of coding agents: how to know one by its command line, and where it sends prompts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from agentguard.attribute.launched import program_names
from agentguard.errors import PolicyError

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LISTS = ("comm", "commands", "environment", "model_hosts", "login_hosts", "own_credentials", "transcripts")
_MAX_IDENTIFIED = 1024
"""Command lines whose agent is remembered: a build starts the same few programs again and again."""
_KEYS = frozenset({"id", "name", "exe", "launched", "examples", *_LISTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One entry of policies/agents.yaml, which says what each field means."""

    id: str
    name: str
    exe: re.Pattern[str]
    cmdline: re.Pattern[str] | None
    """Matches what an interpreter or a runner was told to start; None when it is never started by one."""
    comm: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    """What a person types to start it in a terminal."""
    environment: tuple[str, ...] = ()
    model_hosts: tuple[str, ...] = ()
    """Host globs that receive prompts."""
    own_credentials: tuple[str, ...] = ()
    """Path globs; a leading `~` is the user's home."""
    transcripts: tuple[str, ...] = ()
    login_hosts: tuple[str, ...] = ()
    """Further hosts its own login may go to."""

    def is_named(self, own: tuple[str, ...], launched: tuple[str, ...]) -> bool:
        """Whether a command line with these `program_names` is this agent."""
        if any(self.exe.fullmatch(name) for name in own):
            return True
        return self.cmdline is not None and any(self.cmdline.fullmatch(name) for name in launched)


class AgentCatalogue:
    """Every agent we know."""

    def __init__(
        self, agents: Sequence[Agent], model_providers: Sequence[str] = (), gateway_variables: Sequence[str] = ()
    ) -> None:
        self.agents = tuple(agents)
        self.gateway_variables = tuple(gateway_variables)
        """Variables by which a user points an agent at a gateway."""
        self._by_id = {agent.id: agent for agent in agents}
        hosts = [*model_providers, *(host for agent in agents for host in agent.model_hosts)]
        self._model_hosts = tuple(dict.fromkeys(hosts))
        self._identified: dict[tuple[tuple[str, ...], str], Agent | None] = {}
        # Most programs are no agent: two expressions say so before each agent is asked.
        self._any_exe = _any_of(agent.exe for agent in agents)
        self._any_cmdline = _any_of(agent.cmdline for agent in agents if agent.cmdline is not None)

    def identify(self, argv: Sequence[str], exe: str) -> Agent | None:
        """The agent this command line is; None when it is none.

        Args:
            argv: as given to exec; may be empty.
            exe: path of the program, "" when unknown.
        """
        key = (tuple(argv), exe)
        try:
            return self._identified[key]
        except KeyError:
            if len(self._identified) >= _MAX_IDENTIFIED:
                self._identified.clear()
            agent = self._identified[key] = self._identify(argv, exe)
            return agent

    def _identify(self, argv: Sequence[str], exe: str) -> Agent | None:
        own, launched = program_names(argv, exe)
        if not any(map(self._any_exe.fullmatch, own)) and not any(map(self._any_cmdline.fullmatch, launched)):
            return None
        return next((agent for agent in self.agents if agent.is_named(own, launched)), None)

    def by_id(self, agent_id: str) -> Agent | None:
        return self._by_id.get(agent_id)

    def model_hosts(self) -> tuple[str, ...]:
        """Host globs that receive prompts: every agent's, and the providers agents may be pointed at."""
        return self._model_hosts


def load_agents(path: Path) -> AgentCatalogue:
    """Read policies/agents.yaml.

    Raises:
        PolicyError: `FILE:LINE: what is wrong`.
    """
    data, lines = _read(path)
    if not isinstance(data, dict) or not isinstance(data.get("agents"), list):
        raise PolicyError(f"{path}:1: the file must hold a mapping with agents (a list) and model_providers")
    agents = [_agent(entry, f"{path}:{line}") for entry, line in zip(data["agents"], lines, strict=True)]
    seen: dict[str, int] = {}
    for agent, line in zip(agents, lines, strict=True):
        if agent.id in seen:
            raise PolicyError(f"{path}:{line}: id {agent.id!r} is already used in line {seen[agent.id]}")
        seen[agent.id] = line
    top = f"{path}:1"
    return AgentCatalogue(agents, _texts(data, "model_providers", top), _texts(data, "gateway_variables", top))


def _read(path: Path) -> tuple[Any, list[int]]:
    """The file's content, and the line of each entry of `agents`."""
    try:
        text = path.read_text(encoding="utf-8")
        loader = _LOADER(text)
        try:
            node = loader.get_single_node()
            return (loader.construct_document(node) if node else None), _entry_lines(node)
        finally:
            loader.dispose()
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise PolicyError(f"{path}:{mark.line + 1 if mark else 1}: not valid YAML") from None
    except (ValueError, RecursionError):
        raise PolicyError(f"{path}:1: not valid YAML") from None


def _entry_lines(node: Any) -> list[int]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    agents = next((value for key, value in pairs if key.value == "agents"), None)
    return [item.start_mark.line + 1 for item in agents.value] if isinstance(agents, yaml.SequenceNode) else []


def _agent(entry: Any, where: str) -> Agent:
    if not isinstance(entry, dict):
        raise PolicyError(f"{where}: an agent is a mapping")
    unknown = next((key for key in entry if key not in _KEYS), None)
    if unknown is not None:
        raise PolicyError(f"{where}: unknown key {unknown!r}; allowed: {', '.join(sorted(_KEYS))}")
    for key in ("id", "name", "exe"):
        if not isinstance(entry.get(key), str) or not entry[key]:
            raise PolicyError(f"{where}: {key} is missing, or not text")
    launched = entry.get("launched")
    lists = {key: _texts(entry, key, where) for key in _LISTS}
    return Agent(
        id=entry["id"],
        name=entry["name"],
        exe=_pattern(entry["exe"], "exe", where),
        cmdline=None if launched is None else _pattern(launched, "launched", where),
        **lists,
    )


def _texts(entry: dict[str, Any], key: str, where: str) -> tuple[str, ...]:
    found = entry.get(key, [])
    if not isinstance(found, list) or not all(isinstance(item, str) and item for item in found):
        raise PolicyError(f"{where}: {key} must be a list of words")
    return tuple(found)


def _any_of(patterns: Iterable[re.Pattern[str]]) -> re.Pattern[str]:
    """Matches what any of them matches; nothing when there are none."""
    return re.compile("|".join(f"(?:{pattern.pattern})" for pattern in patterns) or "(?!)")


def _pattern(text: Any, key: str, where: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, TypeError):
        raise PolicyError(f"{where}: {key} is not a regular expression") from None
