"""The MCP servers of one configuration file, and the values that stand in them instead of a reference."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import yaml

from agentguard.detect.file_scan import severity_of
from agentguard.detect.fingerprint import Fingerprinter, preview
from agentguard.detect.matching import Located, match_of
from agentguard.detect.names import says_secret
from agentguard.detect.parse import bytes_of
from agentguard.detect.rarity import is_secret
from agentguard.model.secret import KNOWN_VALUE, SecretMatch
from agentguard.model.verdict import Severity
from agentguard.posture import jsonc
from agentguard.posture.catalogue import McpAgent

UNTYPED = Severity.MEDIUM
"""Of a value that no credential type recognises: a name or a file's format says that it is one."""

_MOST_TEXTS = 20_000
_MOST_FOUND = 200
_DEEPEST = 64
_NAMES_A_VARIABLE = re.compile(r"(?i)env_var|_env$|^env_(?:vars|keys|http_headers)$|^inputs$|^envFile$")
"""Keys under which a configuration names variables instead of holding values."""
_REFERENCE = re.compile(
    r"\$\{[^}]*\}|\$\{\{[^}]*\}\}|\{env:[^}]*\}|\{file:[^}]*\}|\$[A-Za-z_]\w*|\$\([^)]*\)|%\w+%|op://\S+"
)
_SCHEME = re.compile(r"(?i)\A(?:bearer|basic|token|apikey)\s+")
_OPTION = re.compile(r"(?s)(-{0,2}[A-Za-z][\w.-]*)\s*[=:]\s*(.+)")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class Recogniser(Protocol):
    """What is asked of the scanner."""

    @property
    def fingerprinter(self) -> Fingerprinter: ...

    def locate(self, data: bytes) -> list[Located]:
        """Credentials recognised by form."""


@dataclass(frozen=True, slots=True)
class InlineValue:
    """A secret in the configuration of one server. It holds the value: in memory only."""

    server: str
    match: SecretMatch
    severity: Severity
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Text:
    """One string of a server's configuration, and the name it stands under."""

    name: str
    value: str = field(repr=False)


def inline_values(agent: McpAgent, path: str, text: str, recogniser: Recogniser) -> list[InlineValue]:
    """Secrets that stand in the file itself: one a server and value, and no more than anyone would write.

    Raises:
        ValueError: the file is not what its name says. The error quotes nothing of it.
    """
    secrets = (
        secret
        for server, configuration in _servers(agent, _parsed(path, text))
        for one in _texts(configuration)
        for secret in _secrets(server, one, recogniser)
    )
    found: dict[tuple[str, str], InlineValue] = {}
    for secret in islice(secrets, _MOST_FOUND):
        found.setdefault((secret.server, secret.match.fingerprint), secret)
    return list(found.values())


def _parsed(path: str, text: str) -> Any:
    if path.endswith(".toml"):
        try:
            return tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError):
            raise ValueError("not valid TOML") from None
    if path.endswith((".yaml", ".yml")):
        try:
            return yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError, ValueError):
            raise ValueError("not valid YAML") from None
    return jsonc.loads(text)


def _servers(agent: McpAgent, top: Any) -> Iterator[tuple[str, Any]]:
    """(name, configuration) of each; some agents keep them in a list."""
    for keys in agent.servers:
        for group in _below(top, keys):
            if isinstance(group, dict):
                yield from ((str(name), one) for name, one in group.items())
            elif isinstance(group, list):
                yield from ((str(one.get("name", "")), one) for one in group if isinstance(one, dict))


def _below(top: Any, keys: Sequence[str]) -> Iterator[Any]:
    if not keys:
        yield top
    elif isinstance(top, dict):
        for one in top.values() if keys[0] == "*" else [top.get(keys[0])]:
            yield from _below(one, keys[1:])


def _texts(configuration: Any) -> Iterator[_Text]:
    """Every string that may be a secret, with the name it goes by: its key, or the option before it."""
    pending: list[tuple[str, Any, int]] = [("", configuration, 0)]
    left = _MOST_TEXTS
    while pending and left:
        left -= 1
        name, one, depth = pending.pop()
        if isinstance(one, str):
            yield from _plain(name, one)
        elif isinstance(one, dict) and depth < _DEEPEST:
            items = ((str(key), each) for key, each in one.items())
            pending += [(key, each, depth + 1) for key, each in items if not _NAMES_A_VARIABLE.search(key)]
        elif isinstance(one, list) and depth < _DEEPEST:
            yield from _arguments([each for each in one if isinstance(each, str)])
            pending += [(name, each, depth + 1) for each in one if isinstance(each, dict | list)]


def _plain(name: str, value: str) -> Iterator[_Text]:
    if not _ADDRESS.match(value):
        yield _Text(name, value)
        return
    try:
        address = urlsplit(value)
        password, query = address.password, parse_qsl(address.query)
    except ValueError:
        return
    yield from (_Text(key, each) for key, each in query)
    if password:
        yield _Text("password", password)
    else:
        yield _Text("", value)


def _arguments(words: Sequence[str]) -> Iterator[_Text]:
    """`--api-key VALUE`, `--api-key=VALUE`, `-e NAME=VALUE`, `--header 'X-Api-Key: VALUE'`, and what stands alone."""
    before = ""
    for word in words:
        found = None if _ADDRESS.match(word) else _OPTION.fullmatch(word)
        if found:
            yield _Text(found[1].lstrip("-"), found[2])
        else:
            yield from _plain(before, word)
        before = word.lstrip("-") if word.startswith("-") and not found else ""


def _secrets(server: str, one: _Text, recogniser: Recogniser) -> Iterator[InlineValue]:
    """What is recognised by its form; else the whole value, where its name says that it is a secret."""
    value = _SCHEME.sub("", one.value, count=1).strip()
    if not value or _REFERENCE.fullmatch(value):
        return
    raw = bytes_of(value)
    located = recogniser.locate(raw)
    for each in located:
        if not each.type.public:
            match = match_of(each, recogniser.fingerprinter)
            named = replace(match, name=one.name or match.name)
            yield InlineValue(server, named, severity_of(each), each.value.decode("utf-8", "replace"))
    if not located and says_secret(one.name) and is_secret(value, one.name):
        fingerprint = recogniser.fingerprinter.of(raw)
        match = SecretMatch(type=KNOWN_VALUE, fingerprint=fingerprint, preview=preview(raw), name=one.name)
        yield InlineValue(server, match, UNTYPED, value)
