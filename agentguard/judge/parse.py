"""One policy file, from YAML nodes to rules. Every problem is collected with its line, not only the first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from agentguard.config import folder_of_user
from agentguard.errors import PolicyError
from agentguard.judge.examples import SITUATION
from agentguard.judge.gateways import gateway_problem
from agentguard.judge.globs import glob_problem
from agentguard.judge.match import Condition, Is, in_order, text_condition
from agentguard.judge.policy import Example, Rule, Then
from agentguard.judge.template import Template, parse_template
from agentguard.judge.vocabulary import ENUMS, FLAGS, WORDS, place_problem
from agentguard.model.verdict import Disposition, Outcome, Severity
from agentguard.yaml_reader import Items, Node, Scalar, Table, quoted, read_yaml

VERSION = "1"
EXTENDS = ("strict",)
MAX_RULES = 1000
_FILE_KEYS = ("version", "description", "extends", "gateways", "rules")
_RULE_KEYS = ("id", "description", "when", "then", "examples")
_THEN_KEYS = ("disposition", "severity", "outcome", "reason")
_EXAMPLE_KEYS = ("match", "no_match")
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_Choice = TypeVar("_Choice", bound=StrEnum)


class InvalidPolicyError(PolicyError):
    """A policy file with one or more problems. The text names the first; `problems` has each, `FILE:LINE: ...`."""

    def __init__(self, problems: Sequence[str]) -> None:
        more = f" ({len(problems) - 1} more; `agentguard policy check` lists them)" if len(problems) > 1 else ""
        super().__init__(problems[0] + more)
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """What one file says."""

    rules: tuple[Rule, ...]
    extends: str
    """Name of the shipped policy whose rules follow its own; "" for none."""
    gateways: tuple[str, ...] = ()
    """Gateways to models, as globs of HOST or HOST:PORT."""


def parse_policy(data: bytes, *, source: str, shown: str) -> PolicyFile:
    """Read one policy file.

    Args:
        source: the file as verdicts name it.
        shown: the file as errors name it.

    Raises:
        InvalidPolicyError: with every problem found.
        PolicyError: the text is not acceptable YAML.
    """
    root = read_yaml(data, shown)
    parser = _Parser(source)
    parsed = parser.file(root)
    if parser.problems:
        raise InvalidPolicyError([f"{shown}:{line}: {text}" for line, text in sorted(parser.problems)])
    return parsed


class _Parser:
    def __init__(self, source: str) -> None:
        self.problems: list[tuple[int, str]] = []
        self._source = source

    def file(self, root: Node | None) -> PolicyFile:
        if not isinstance(root, Table):
            self._wrong(root, "a policy is a mapping with version and rules")
            return PolicyFile((), "")
        self._keys(root, _FILE_KEYS, "policy")
        version = self._text(root, "version")
        if version is None or version.text != VERSION:
            self._wrong(version or root, f"version must be {VERSION}")
        extends = self._text(root, "extends")
        if extends is not None and extends.text not in EXTENDS:
            self._wrong(extends, f"extends {quoted(extends.text)} is not known; allowed: {', '.join(EXTENDS)}")
        self._text(root, "description")
        gateways = self._gateways(root)
        listed = root.entries.get("rules")
        if listed is None and extends is None and not gateways:
            self._wrong(root, "rules is missing")
        rules = self._rules(listed[1]) if listed else ()
        return PolicyFile(rules, extends.text if extends else "", gateways)

    def _gateways(self, root: Table) -> tuple[str, ...]:
        entry = root.entries.get("gateways")
        values = self._values("gateways", entry[1]) if entry else []
        for value in values:
            problem = gateway_problem(value.text)
            if problem:
                self._wrong(value, f"gateways: {problem}")
        return tuple(value.text.lower() for value in values)

    def _rules(self, node: Node) -> tuple[Rule, ...]:
        if not isinstance(node, Items):
            self._wrong(node, "rules must be a list")
            return ()
        if len(node.items) > MAX_RULES:
            self._wrong(node, f"a policy may have {MAX_RULES} rules, this has {len(node.items)}")
            return ()
        rules = [rule for item in node.items if (rule := self._rule(item)) is not None]
        first: dict[str, int] = {}
        for rule in rules:
            if first.setdefault(rule.id, rule.line) != rule.line:
                self.problems.append((rule.line, f"id {rule.id!r} is already used in line {first[rule.id]}"))
        return tuple(rules)

    def _rule(self, node: Node) -> Rule | None:
        if not isinstance(node, Table):
            self._wrong(node, f"a rule is a mapping with {', '.join(_RULE_KEYS)}")
            return None
        self._keys(node, _RULE_KEYS, "rule")
        name = self._text(node, "id")
        if name is None or not _ID.fullmatch(name.text):
            self._wrong(name or node, "a rule needs an id of a-z, 0-9, '.', '_' and '-', at most 64")
        description = self._text(node, "description")
        words = " ".join(description.text.split()) if description else ""
        then = self._then(node, words)
        conditions = self._when(node)
        examples = self._examples(node)
        if then is None or name is None:
            return None
        return Rule(
            source=self._source,
            id=name.text,
            line=node.line,
            description=words,
            conditions=in_order(conditions),
            then=then,
            examples=tuple(examples),
        )

    def _then(self, rule: Table, description: str) -> Then | None:
        entry = rule.entries.get("then")
        if entry is None or not isinstance(entry[1], Table):
            self._wrong(entry[1] if entry else rule, f"a rule needs then: a mapping with {', '.join(_THEN_KEYS)}")
            return None
        table = entry[1]
        self._keys(table, _THEN_KEYS, "then")
        disposition = self._choice(table, "disposition", Disposition, None)
        severity = self._choice(table, "severity", Severity, None)
        outcome = self._choice(table, "outcome", Outcome, Outcome.CLEAN)
        reason = self._reason(table, description)
        if disposition is None or severity is None or outcome is None or reason is None:
            return None
        return Then(disposition, severity, outcome, reason)

    def _reason(self, table: Table, description: str) -> Template | None:
        given = self._text(table, "reason")
        if given is None and not description:
            self._wrong(table, "a rule needs a reason (in then) or a description")
            return None
        if given is None:
            return Template(((description, ""),))
        try:
            return parse_template(given.text)
        except ValueError as error:
            self._wrong(given, f"reason: {error}")
            return None

    def _when(self, rule: Table) -> list[Condition]:
        entry = rule.entries.get("when")
        if entry is None:
            return []
        if not isinstance(entry[1], Table):
            self._wrong(entry[1], "when must be a mapping; leave it out to match everything")
            return []
        self._keys(entry[1], WORDS, "when")
        conditions = (self._condition(key, value) for key, value in entry[1].entries.values() if key.text in WORDS)
        return [condition for condition in conditions if condition is not None]

    def _condition(self, key: Scalar, node: Node) -> Condition | None:
        if key.text in FLAGS:
            if isinstance(node, Scalar) and node.plain and node.text in ("true", "false"):
                return Is(key.text, node.text == "true")
            self._wrong(node, f"{key.text} must be true or false")
            return None
        values = self._values(key.text, node)
        for value in values:
            problem = _value_problem(key.text, value.text)
            if problem:
                self._wrong(value, f"{key.text}: {problem}")
        return text_condition(key.text, (_normal(key.text, value.text) for value in values)) if values else None

    def _values(self, word: str, node: Node) -> list[Scalar]:
        found = [node] if isinstance(node, Scalar) else node.items if isinstance(node, Items) else []
        scalars = [item for item in found if isinstance(item, Scalar)]
        if not scalars or len(scalars) != len(found):
            self._wrong(node, f"{word} must be a word or a list of words")
            return []
        return scalars

    def _examples(self, rule: Table) -> Iterable[Example]:
        entry = rule.entries.get("examples")
        if entry is None:
            return []
        if not isinstance(entry[1], Table):
            self._wrong(entry[1], "examples must be a mapping with match and no_match")
            return []
        self._keys(entry[1], _EXAMPLE_KEYS, "examples")
        found: list[Example] = []
        for key, node in entry[1].entries.values():
            if not isinstance(node, Items):
                self._wrong(node, f"{key.text} must be a list of situations")
                continue
            found.extend(self._example(item, expected=key.text == "match") for item in node.items)
        return found

    def _example(self, node: Node, *, expected: bool) -> Example:
        if not isinstance(node, Table):
            self._wrong(node, "an example is a mapping, such as {kind: http, host: paste.example}")
            return Example((), expected, node.line)
        self._keys(node, tuple(SITUATION), "example")
        fields = tuple(
            (key.text, tuple(value.text for value in self._values(key.text, value)))
            for key, value in node.entries.values()
        )
        return Example(fields, expected, node.line)

    def _choice(self, table: Table, key: str, names: type[_Choice], default: _Choice | None) -> _Choice | None:
        given = self._text(table, key)
        if given is None and (default is not None or key in table.entries):
            return default
        if given is not None and given.text in list(names):
            return names(given.text)
        what = f"{quoted(given.text)} is not a {key}" if given else f"{key} is missing"
        self._wrong(given or table, f"{what}; allowed: {', '.join(names)}")
        return None

    def _text(self, table: Table, key: str) -> Scalar | None:
        """The word under `key`; None when it is missing, or (reported) something else."""
        entry = table.entries.get(key)
        if entry is None:
            return None
        if not isinstance(entry[1], Scalar):
            self._wrong(entry[1], f"{key} must be text")
            return None
        return entry[1]

    def _keys(self, table: Table, allowed: Iterable[str], where: str) -> None:
        names = tuple(allowed)
        for key, _ in table.entries.values():
            if key.text not in names:
                self._wrong(key, f"unknown key {quoted(key.text)} in {where}; allowed: {', '.join(names)}")

    def _wrong(self, node: Node | None, text: str) -> None:
        self.problems.append((node.line if node else 1, text))


def _value_problem(word: str, value: str) -> str:
    if word in ENUMS:
        names = list(ENUMS[word])
        return "" if value in names else f"{quoted(value)} is not known; allowed: {', '.join(names)}"
    problem = glob_problem(value)
    if not problem and word == "place":
        problem = place_problem(value)
    if not problem and word == "port" and not (_PORT.fullmatch(value) and int(value) < 65536):
        problem = f"{quoted(value)} is not a port (1 to 65535)"
    return problem


def _normal(word: str, value: str) -> str:
    if word in ("host", "place"):
        return value.lower()
    return str(folder_of_user()) + value[1:] if word == "path" and value.startswith("~/") else value
