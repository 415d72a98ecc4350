"""Reads and checks policies/secrets.yaml. Every complaint names the file, the line and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import yaml

from agentguard.detect.checksum import CHECKSUMS
from agentguard.detect.confirm import Confirmer
from agentguard.detect.filters import FILTERS
from agentguard.detect.placeholders import is_credential
from agentguard.detect.rules import CredentialType, Examples
from agentguard.detect.templates import expand
from agentguard.errors import PolicyError
from agentguard.model.secret import KeyScope
from agentguard.model.verdict import Severity

_ORDER = [
    *("id", "name", "provider", "pattern", "keywords", "lead", "max_length", "checksum"),
    *("issuer_hosts", "scope", "severity", "rotation", "public", "filter", "at_rest", "examples"),
]
_OPTIONAL = frozenset({"lead", "max_length", "filter", "at_rest"})
_Choice = TypeVar("_Choice", bound=StrEnum)
_MAX_REPEAT = 1000
_MAX_LENGTH = 4096
_MAX_LEAD = 128
_SHORTEST_KEYWORD = 2
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}\Z")
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
_TOKEN = re.compile(
    r"(?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<escape>\\.)|(?P<group>\(\?(?:P<\w+>|[a-zA-Z]*:|[^)]{0,2}))"
    r"|(?P<repeat>\{[0-9]*(?:,[0-9]*)?\}[+?]?)|(?P<other>.)",
    re.DOTALL,
)
_GROUPS = ("(?:", "(?i:", "(?P<secret>")


def read_types(path: Path) -> tuple[CredentialType, ...]:
    """As `agentguard.detect.rules.load_types`."""
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=_LOADER)
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{_label(path)}: cannot be read: {error}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PolicyError(f"{_label(path)}:{line}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError:
        raise PolicyError(f"{_label(path)}: not valid YAML") from None
    reader = _Reader(path)
    if not isinstance(root, yaml.SequenceNode) or not root.value:
        reader.fail(root, "must be a list of credential types")
    types: list[CredentialType] = []
    for node in root.value:
        kind = reader.credential_type(node)
        if any(kind.id == other.id for other in types):
            reader.fail(node, f"id {kind.id} is used twice")
        types.append(kind)
    return tuple(types)


def _label(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


class _Reader:
    """Nodes of one file to values, with the line at hand when something is wrong."""

    def __init__(self, path: Path) -> None:
        self._label = _label(path)

    def fail(self, node: Any, what: str) -> NoReturn:
        line = node.start_mark.line + 1 if node is not None else 1
        raise PolicyError(f"{self._label}:{line}: {what}")

    def credential_type(self, node: Any) -> CredentialType:
        fields = self._fields(node, _ORDER, _OPTIONAL)
        identity = self._matching(fields["id"], "id", _ID, "lower-case words joined by -")
        examples = self._fields(fields["examples"], ["match", "no_match"], frozenset())
        kind = CredentialType(
            id=identity,
            name=self._text(fields["name"], "name"),
            provider=self._matching(fields["provider"], "provider", _ID, "lower-case words joined by -"),
            pattern=self._pattern(fields["pattern"]),
            keywords=self._keywords(fields["keywords"]),
            lead=self._lead(fields.get("lead")),
            max_length=self._number(fields.get("max_length"), "max_length", 1024, _MAX_LENGTH),
            checksum=self._word(fields["checksum"], "checksum", CHECKSUMS),
            issuer_hosts=self._hosts(fields["issuer_hosts"]),
            scope=self._choice(fields["scope"], "scope", KeyScope),
            severity=self._choice(fields["severity"], "severity", Severity),
            rotation=self._text(fields["rotation"], "rotation"),
            public=self._flag(fields["public"], "public"),
            filter=self._word(fields["filter"], "filter", FILTERS) if "filter" in fields else None,
            at_rest="at_rest" in fields and self._flag(fields["at_rest"], "at_rest"),
            examples=Examples(
                match=tuple(self._strings(examples["match"], "match")),
                no_match=tuple(self._strings(examples["no_match"], "no_match")),
            ),
        )
        self._run_examples(kind, examples)
        return kind

    def _fields(self, node: Any, order: list[str], optional: frozenset[str]) -> dict[str, Any]:
        """The values by key. Unknown, double, missing and misplaced keys are errors."""
        if not isinstance(node, yaml.MappingNode):
            self.fail(node, f"must hold the keys {', '.join(order)}")
        fields: dict[str, Any] = {}
        for key, value in node.value:
            if key.value not in order:
                self.fail(key, f"unknown key {key.value!r}; known are {', '.join(order)}")
            if key.value in fields:
                self.fail(key, f"key {key.value!r} stands twice")
            fields[key.value] = value
        for name in order:
            if name not in fields and name not in optional:
                self.fail(node, f"key {name!r} is missing")
        if list(fields) != [name for name in order if name in fields]:
            self.fail(node, f"keys must stand in this order: {', '.join(name for name in order if name in fields)}")
        return fields

    def _text(self, node: Any, name: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or node.tag.endswith(":null") or not node.value.strip():
            self.fail(node, f"{name} must be text")
        return str(node.value)

    def _matching(self, node: Any, name: str, form: re.Pattern[str], words: str) -> str:
        text = self._text(node, name)
        if not form.match(text):
            self.fail(node, f"{name} must be {words}, not {text!r}")
        return text

    def _strings(self, node: Any, name: str) -> Iterator[str]:
        if not isinstance(node, yaml.SequenceNode):
            self.fail(node, f"{name} must be a list")
        for item in node.value:
            yield self._text(item, f"an entry of {name}")

    def _number(self, node: Any, name: str, default: int, most: int) -> int:
        if node is None:
            return default
        text = self._text(node, name)
        if not text.isdecimal() or not 0 < int(text) <= most:
            self.fail(node, f"{name} must be a number from 1 to {most}")
        return int(text)

    def _lead(self, node: Any) -> tuple[int, ...]:
        if node is None:
            return (0,)
        words = tuple(self._strings(node, "lead"))
        if not words or not all(word.isdecimal() and int(word) <= _MAX_LEAD for word in words):
            self.fail(node, f"lead must be a list of numbers up to {_MAX_LEAD}")
        return tuple(map(int, words))

    def _flag(self, node: Any, name: str) -> bool:
        if self._text(node, name) not in ("true", "false"):
            self.fail(node, f"{name} must be true or false")
        return bool(node.value == "true")

    def _word(self, node: Any, name: str, known: dict[str, Any]) -> str | None:
        if isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null"):
            return None
        text = self._text(node, name)
        if text not in known:
            self.fail(node, f"{name} must be null or one of {', '.join(known)}, not {text!r}")
        return text

    def _choice(self, node: Any, name: str, kind: type[_Choice]) -> _Choice:
        text = self._text(node, name)
        if text not in list(kind):
            self.fail(node, f"{name} must be one of {', '.join(kind)}, not {text!r}")
        chosen: _Choice = kind(text)
        return chosen

    def _keywords(self, node: Any) -> tuple[str, ...]:
        words = tuple(self._strings(node, "keywords"))
        if not words:
            self.fail(node, "keywords must name at least one word")
        for word in words:
            if word != word.lower() or not word.isascii() or len(word) < _SHORTEST_KEYWORD:
                self.fail(node, f"keyword {word!r} must be lower case, ASCII, two characters or more")
        return words

    def _hosts(self, node: Any) -> tuple[str, ...]:
        hosts = tuple(self._strings(node, "issuer_hosts"))
        for host in hosts:
            if not _HOST.match(host):
                self.fail(node, f"issuer_hosts: {host!r} is not a host name")
        return hosts

    def _pattern(self, node: Any) -> str:
        pattern = self._text(node, "pattern")
        problem = pattern_problem(pattern)
        if problem:
            self.fail(node, f"pattern: {problem}")
        return pattern

    def _run_examples(self, kind: CredentialType, lists: dict[str, Any]) -> None:
        for name, wanted in (("match", True), ("no_match", False)):
            if not lists[name].value:
                self.fail(lists[name], f"examples: {name} is empty; give at least one")
            for node in lists[name].value:
                try:
                    text = expand(node.value, kind.id)
                except ValueError as error:
                    self.fail(node, f"examples: {error}")
                if recognises(kind, text.encode()) is not wanted:
                    self.fail(node, f"examples: {name} {node.value!r} is {'not ' if wanted else ''}recognised")


def recognises(kind: CredentialType, data: bytes) -> bool:
    """Whether this type alone is found in `data` by the rules of every engine."""
    confirmer = Confirmer((kind,))
    hits, _ = confirmer.confirm(0, data, confirmer.positions(0, data.lower(), 0, 0, len(data)))
    return any(is_credential(kind, data[hit.start : hit.end]) for hit in hits)


def pattern_problem(pattern: str) -> str:
    """Why a pattern is outside what every engine understands alike; "" when it is not."""
    if not pattern.isascii():
        return "must be ASCII"
    for token in _TOKEN.finditer(pattern):
        problem = _TOKEN_PROBLEMS[token.lastgroup or "other"](token[0])
        if problem:
            return problem
    try:
        compiled = re.compile(pattern.encode())
    except re.error as error:
        return f"not a regular expression: {error}"
    if compiled.groups > 1 or (compiled.groups and "secret" not in compiled.groupindex):
        return "the only group may be (?P<secret>...); write (?:...) for others"
    return "matches nothing at all" if compiled.match(b"") else ""


def _class_problem(text: str) -> str:
    return next(filter(None, map(_escape_problem, re.findall(r"\\.", text, re.DOTALL))), "")


def _escape_problem(text: str) -> str:
    if text[1].isalnum() and text[1] not in "nrtx":
        return f"{text} is not allowed (no borders, back references or classes such as \\s: spell them out)"
    return ""


def _group_problem(text: str) -> str:
    return "" if text in _GROUPS else f"{text} is not allowed (no lookaround, no flags but (?i:...))"


def _repeat_problem(text: str) -> str:
    if any(int(number) > _MAX_REPEAT for number in re.findall(r"[0-9]+", text)):
        return f"repeat {text} is larger than {_MAX_REPEAT}"
    return "lazy and possessive repeats are not allowed" if text[-1] in "+?" else ""


def _other_problem(text: str) -> str:
    return "`.` is not allowed: name the characters" if text == "." else ""


_TOKEN_PROBLEMS: dict[str, Callable[[str], str]] = {
    "class": _class_problem,
    "escape": _escape_problem,
    "group": _group_problem,
    "repeat": _repeat_problem,
    "other": _other_problem,
}
