"""Reads and checks policies/secrets.yaml. Every complaint names the file, the line and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import yaml

from agentguard.detect.assignment_patterns import assigned_pattern
from agentguard.detect.checksum import CHECKSUMS
from agentguard.detect.context_form import ContextForm, context_examples, expand_context
from agentguard.detect.filters import FILTERS
from agentguard.detect.rules import CredentialType, Examples
from agentguard.detect.rules_proof import pattern_problem, recognises
from agentguard.detect.templates import expand
from agentguard.errors import PolicyError
from agentguard.model.secret import KeyScope
from agentguard.model.verdict import Severity

_ORDER = [
    *("id", "name", "provider", "context", "pattern", "keywords", "lead", "max_length", "checksum"),
    *("issuer_hosts", "scope", "severity", "rotation", "public", "filter", "at_rest", "examples"),
]
_ALWAYS_OPTIONAL = frozenset({"context", "lead", "max_length", "checksum", "public", "filter", "at_rest"})
_ASSIGNED = "{assigned:"
_NOT_WITH_CONTEXT = ("pattern", "keywords", "lead", "max_length", "filter")
_NO_EXAMPLES = Examples(match=(), no_match=())
_Choice = TypeVar("_Choice", bound=StrEnum)
_MAX_LENGTH = 4096
_MAX_LEAD = 128
_SHORTEST_KEYWORD = 2
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}\Z")
_WORD = re.compile(r"[a-z0-9]+(?:[ .-][a-z0-9]+)*\Z")
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")


def read_types(path: Path, *, prove: bool = False) -> tuple[CredentialType, ...]:
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
    reader = _Reader(path, prove=prove)
    if not isinstance(root, yaml.SequenceNode) or not root.value:
        reader.fail(root, "must be a list of credential types")
    types: dict[str, CredentialType] = {}
    for node in root.value:
        kind = reader.credential_type(node)
        if kind.id in types:
            reader.fail(node, f"id {kind.id} is used twice")
        types[kind.id] = kind
    return tuple(types.values())


def _label(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


class _Reader:
    """Nodes of one file to values, with the line at hand when something is wrong."""

    def __init__(self, path: Path, *, prove: bool) -> None:
        self._label = _label(path)
        self._prove = prove

    def fail(self, node: Any, what: str) -> NoReturn:
        line = node.start_mark.line + 1 if node is not None else 1
        raise PolicyError(f"{self._label}:{line}: {what}")

    def credential_type(self, node: Any) -> CredentialType:
        by_context = isinstance(node, yaml.MappingNode) and any(key.value == "context" for key, _ in node.value)
        needless = ("pattern", "keywords", "examples") if by_context else ()
        fields = self._fields(node, _ORDER, _ALWAYS_OPTIONAL.union(needless))
        identity = self._matching(fields["id"], "id", _ID, "lower-case words joined by -")
        form, then, examples = self._context(fields) if by_context else (self._form(fields), (), _NO_EXAMPLES)
        if "examples" in fields:
            examples = self._examples(fields["examples"])
        kind = CredentialType(
            id=identity,
            name=self._text(fields["name"], "name"),
            provider=self._matching(fields["provider"], "provider", _ID, "lower-case words joined by -"),
            pattern=form.pattern,
            value_form=form.value_form,
            then=then,
            keywords=form.keywords,
            lead=self._lead(fields.get("lead")),
            max_length=form.max_length,
            checksum=self._word(fields.get("checksum"), "checksum", CHECKSUMS),
            issuer_hosts=self._hosts(fields["issuer_hosts"]),
            scope=self._choice(fields["scope"], "scope", KeyScope),
            severity=self._choice(fields["severity"], "severity", Severity),
            rotation=self._text(fields["rotation"], "rotation"),
            public=self._flag(fields.get("public"), "public"),
            filter=self._word(fields.get("filter"), "filter", FILTERS),
            at_rest=self._flag(fields.get("at_rest"), "at_rest"),
            examples=examples,
        )
        if self._prove:
            self._run_examples(kind, fields.get("examples", fields.get("context")))
        return kind

    def _form(self, fields: dict[str, Any]) -> ContextForm:
        """Of a type with a form of its own."""
        keywords = self._keywords(fields["keywords"])
        return ContextForm(
            pattern=self._pattern(fields["pattern"], keywords),
            value_form="",
            keywords=keywords,
            max_length=self._number(fields.get("max_length"), "max_length", 1024, _MAX_LENGTH),
        )

    def _context(self, fields: dict[str, Any]) -> tuple[ContextForm, tuple[str, ...], Examples]:
        """Of a type that is told by its context, with the words that must follow and the examples that come of it."""
        node = fields["context"]
        for name in _NOT_WITH_CONTEXT:
            if name in fields:
                self.fail(node, f"context says what {name} would say: leave {name} out")
        context = self._fields(node, ["words", "value", "then"], frozenset({"then"}))
        words, values = self._words(context["words"], "words"), tuple(self._strings(context["value"], "value"))
        then = self._words(context["then"], "then") if "then" in context else ()
        try:
            return expand_context(words, values), then, context_examples(words, values, then)
        except ValueError as error:
            self.fail(context["value"], f"context: {error}")

    def _words(self, node: Any, name: str) -> tuple[str, ...]:
        words = tuple(self._strings(node, name))
        for word in words:
            if not _WORD.match(word):
                self.fail(node, f"{name}: {word!r} must be lower-case letters and digits, single spaces between")
        return words

    def _examples(self, node: Any) -> Examples:
        lists = self._fields(node, ["match", "no_match"], frozenset())
        for name in lists:
            if not getattr(lists[name], "value", None):
                self.fail(lists[name], f"examples: {name} is empty; give at least one")
        return Examples(
            match=tuple(self._strings(lists["match"], "match")),
            no_match=tuple(self._strings(lists["no_match"], "no_match")),
        )

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
        if node is None:
            return False
        if self._text(node, name) not in ("true", "false"):
            self.fail(node, f"{name} must be true or false")
        return bool(node.value == "true")

    def _word(self, node: Any, name: str, known: dict[str, Any]) -> str | None:
        if node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")):
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

    def _pattern(self, node: Any, keywords: tuple[str, ...]) -> str:
        pattern = self._text(node, "pattern")
        if pattern.startswith(_ASSIGNED):
            pattern = assigned_pattern(pattern.removeprefix(_ASSIGNED).removesuffix("}"), keywords)
        problem = pattern_problem(pattern) if self._prove else ""
        if problem:
            self.fail(node, f"pattern: {problem}")
        return pattern

    def _run_examples(self, kind: CredentialType, node: Any) -> None:
        lines = {entry.value: entry for _, entries in node.value for entry in entries.value}
        for wanted, templates in ((True, kind.examples.match), (False, kind.examples.no_match)):
            for template in templates:
                where = lines.get(template, node)
                try:
                    text = expand(template, kind.id)
                except ValueError as error:
                    self.fail(where, f"examples: {error}")
                if recognises(kind, text.encode()) is not wanted:
                    self.fail(where, f"examples: {template!r} is {'not ' if wanted else ''}recognised")
