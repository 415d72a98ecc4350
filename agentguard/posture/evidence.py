"""What the checks judge: gathered once, by `agentguard.posture.look`. No value is in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agentguard.detect.rules import CredentialType
from agentguard.model.at_rest import SecretAtRest
from agentguard.model.posture import Place
from agentguard.model.secret import KNOWN_VALUE, SecretMatch
from agentguard.model.verdict import Severity
from agentguard.posture.catalogue import McpAgent
from agentguard.posture.tree import SeenFile

_TRACES = frozenset({"transcript", "log", "shell-history"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GitFacts:
    """What git knows of the folder that is looked at. Paths are relative to that folder."""

    tracked: frozenset[str]
    addable: frozenset[str]
    """Neither tracked nor ignored: `git add .` would take them."""
    within: str = ""
    """Where the folder lies in its repository, as `sub/`; "" for the whole of it."""
    repositories: tuple[str, ...] = ()
    """Folders below it that are repositories of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One place of one credential."""

    secret: SecretAtRest
    file: SeenFile
    environment: str = ""
    """production, staging, development, test, or "" when nothing says it."""

    @property
    def match(self) -> SecretMatch:
        return self.secret.match

    @property
    def in_use(self) -> bool:
        """Whether anything takes it from there: what a log or a conversation holds is a trace of it."""
        return self.file.place not in _TRACES

    @property
    def place(self) -> Place:
        """As it is told."""
        return Place(path=self.file.name, line=self.secret.line, column=self.secret.column)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inline:
    """A value written into an MCP configuration."""

    agent: McpAgent
    server: str
    kept: Kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """References to one secrets manager in one file."""

    manager: str
    """Its name, for a person."""
    file: SeenFile
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that was seen."""

    root: Path
    files: tuple[SeenFile, ...]
    kept: tuple[Kept, ...]
    """Keys that are made to be published are left out, and those that were replaced already."""
    past: tuple[SecretAtRest, ...] = ()
    """In the history: one a commit that brought it in."""
    inline: tuple[Inline, ...] = ()
    references: tuple[Reference, ...] = ()
    git: GitFacts | None = None
    """None: no repository, or git cannot say."""
    types: Mapping[str, CredentialType] = field(default_factory=dict)
    first_seen: Mapping[str, int] = field(default_factory=dict)
    """Fingerprint → ns since the epoch at which a guard of this home first met it."""
    now_ns: int = 0
    older_than_days: int = 90

    def is_tracked(self, file: SeenFile) -> bool:
        return self.git is not None and not file.at_home and file.name in self.git.tracked

    def is_addable(self, file: SeenFile) -> bool:
        return self.git is not None and not file.at_home and file.name in self.git.addable

    def in_file(self, file: SeenFile) -> list[Kept]:
        """What one file holds."""
        return [one for one in self.kept if one.file.path == file.path]

    def type_name(self, type_id: str) -> str:
        """For a person."""
        kind = self.types.get(type_id)
        return "secret value" if type_id == KNOWN_VALUE else kind.name if kind else type_id.replace("-", " ")


@dataclass(frozen=True, slots=True)
class Credential:
    """All places of one credential that a check cares about; at least one."""

    places: tuple[Kept, ...]

    @property
    def match(self) -> SecretMatch:
        """One that says its name, where there is one."""
        return next((one.match for one in self.places if one.match.name), self.places[0].match)

    @property
    def severity(self) -> Severity:
        return max((one.secret.severity for one in self.places), key=lambda severity: severity.rank)

    @property
    def paths(self) -> list[str]:
        """Each file once."""
        return list(dict.fromkeys(one.file.name for one in self.places))


def credentials(kept: Iterable[Kept]) -> list[Credential]:
    """By fingerprint, in the order of their first places."""
    found: dict[str, list[Kept]] = {}
    for one in kept:
        found.setdefault(one.match.fingerprint, []).append(one)
    return [Credential(tuple(places)) for places in found.values()]
