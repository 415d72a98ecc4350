"""A rule that expects what a person has looked at and found right: as text, and put into the user's policy. Pure.

A policy is a person's file: it is changed by inserting one block of lines, never written anew, and what comes out must
say the same as before but for the one rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from agentguard.errors import PolicyError
from agentguard.judge.facts import Facts
from agentguard.judge.globs import MAX_GLOB
from agentguard.judge.parse import parse_policy
from agentguard.judge.policy import Rule, units
from agentguard.model.finding import Finding, Kind
from agentguard.yaml_reader import Items, Table, read_yaml

NEW_FILE = "# Your own rules: they are tried before those that ship with AgentGuard.\n\nversion: 1\nrules:\n"
_SENDS = (Kind.HTTP, Kind.NETWORK)
_WORDS = {
    Kind.FILE: ("kind", "activity", "path", "process"),
    Kind.COMMAND: ("kind", "command_rule", "process"),
    Kind.ENVIRONMENT: ("kind", "type", "agent"),
    Kind.HTTP: ("kind", "host", "type", "place"),
    Kind.NETWORK: ("kind", "host", "type", "place"),
    Kind.GAP: ("kind", "gap", "sensor", "process", "host"),
    Kind.FINDING: ("kind", "activity", "path", "process"),
}
"""What a rule asks for: enough to say what was looked at, and no more than comes again in the next session."""
_NOT_IN_ID = re.compile(r"[^a-z0-9]+")
_PLAIN = re.compile(r"[A-Za-z_./~][A-Za-z0-9_./@~-]*")
_LONGEST_ID = 56


@dataclass(frozen=True, slots=True)
class NewRule:
    """A rule that is not written yet."""

    id: str
    text: str
    """A list item of YAML, not indented; ends in a line break."""


def rule_for(finding: Finding, facts: Facts, taken: Iterable[str], day: str) -> NewRule:
    """The rule that expects what `finding` tells of.

    Args:
        taken: ids that the user's policy has already.
        day: when it was looked at, for the rule's description: `2026-01-31`.

    Raises:
        PolicyError: no rule can speak of it.
    """
    wanted = {word: values for word in _WORDS.get(finding.kind, ()) if (values := _values(word, finding, facts))}
    if len(wanted) < 2:
        raise PolicyError(f"no rule can expect a {finding.kind} event like this one; mark it as seen")
    name = _free_id(_slug(finding), set(taken))
    # What is sent stays on record: another send of the same may deserve a look. The rest would only be noise.
    then = "logged, severity: low" if finding.kind in _SENDS else "ignored, severity: info"
    lines = [
        f"- id: {name}",
        f"  description: {_quoted(f'Looked at on {day} and found right.')}",
        "  when:",
        *(f"    {word}: {_listed(values)}" for word, values in wanted.items()),
        f"  then: {{disposition: {then}, outcome: clean}}",
    ]
    return NewRule(name, "\n".join(lines) + "\n")


def with_rule(data: bytes | None, rule: NewRule, shown: str) -> bytes:
    """A policy file with the rule before all others of it.

    Args:
        data: what the file holds; None when there is none.
        shown: the file's name in errors.

    Raises:
        PolicyError: the file is invalid, or written so that nothing can be inserted safely.
    """
    before: tuple[Rule, ...] = ()
    if data is None or not data.strip():
        text = NEW_FILE
    else:
        before = parse_policy(data, source="", shown=shown).rules
        text = data.decode("utf-8-sig")
    after = _inserted(text, rule, shown).encode("utf-8")
    try:
        rules = parse_policy(after, source="", shown=shown).rules
    except PolicyError:
        rules = ()
    if [*map(_meaning, rules[1:])] != [*map(_meaning, before)] or not rules or rules[0].id != rule.id:
        raise PolicyError(f"{shown}: is written so that no rule can be put in safely; add it by hand: {rule.id}")
    return after


def _inserted(text: str, rule: NewRule, shown: str) -> str:
    root = read_yaml(text.encode("utf-8"), shown)
    ends = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines()
    listed = root.entries.get("rules") if isinstance(root, Table) else None
    if listed is None:
        return ends.join([*lines, "rules:", *_indented(rule, "  "), ""])
    key, node = listed
    at, indent = key.line, "  "
    lines[at - 1] = re.sub(r"^(\s*[\"']?rules[\"']?\s*:)\s*\[\s*\]", r"\1", lines[at - 1])
    if isinstance(node, Items) and node.items:
        dash = next((line for line in lines[at:] if line.lstrip().startswith("-")), "")
        indent = dash[: len(dash) - len(dash.lstrip())]
    rest = ["", *lines[at:]] if any(map(str.strip, lines[at:])) else []
    return ends.join([*lines[:at], *_indented(rule, indent), *rest, ""])


def _indented(rule: NewRule, indent: str) -> list[str]:
    return [indent + line for line in rule.text.splitlines()]


def _meaning(rule: Rule) -> tuple[object, ...]:
    """All of a rule but where it stands."""
    asked = tuple((condition.word, condition.wanted) for condition in rule.conditions)
    examples = tuple((example.fields, example.expected) for example in rule.examples)
    return rule.id, rule.description, asked, rule.then, examples


def _values(word: str, finding: Finding, facts: Facts) -> list[str]:
    """What the finding has for a word, as globs that match it alone."""
    if word == "type":
        found = [match.type for match in finding.matches]
    elif word == "place":
        found = [match.place.lower() for match in finding.matches]
    else:
        found = [_ONE[word](finding, facts)]
    values = [_glob(value) for value in dict.fromkeys(found) if value]
    return [value for value in values if value]


_ONE: dict[str, Callable[[Finding, Facts], str]] = {
    "kind": lambda finding, _facts: finding.kind.value,
    "activity": lambda finding, _facts: finding.activity.value,
    "path": lambda finding, _facts: finding.path,
    "process": lambda _finding, facts: facts.process_name(),
    "command_rule": lambda finding, _facts: finding.command_rule,
    "agent": lambda _finding, facts: facts.agent(),
    "host": lambda finding, _facts: finding.host.lower(),
    "gap": lambda finding, _facts: finding.gap.type.value if finding.gap else "",
    "sensor": lambda finding, _facts: finding.gap.sensor if finding.gap else "",
}


def _glob(text: str) -> str:
    """What a glob cannot hold, and what was no text, becomes `?`; what is too long to be named is left out."""
    return re.sub("[\\[\\]\ufffd]", "?", text) if len(text) <= MAX_GLOB else ""


def _slug(finding: Finding) -> str:
    what = finding.host or finding.path.rpartition("/")[2] or finding.command_rule
    what = what or (finding.gap.type if finding.gap else next((match.type for match in finding.matches), ""))
    word = "read" if finding.kind is Kind.FILE else finding.kind.value
    return _NOT_IN_ID.sub("-", f"expected-{word}-{what}".lower()).strip("-")[:_LONGEST_ID].strip("-")


def _free_id(slug: str, taken: set[str]) -> str:
    """The slug, or with the first number that makes it new."""
    number, name = 1, slug
    while name in taken:
        number += 1
        name = f"{slug}-{number}"
    return name


def _listed(values: list[str]) -> str:
    shown = [_quoted(value) for value in values]
    return shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"


def _quoted(text: str) -> str:
    """Plain where YAML cannot take it for anything else; else in quotes, with nothing in them but printable ASCII."""
    if _PLAIN.fullmatch(text) and text not in ("true", "false", "null", "yes", "no", "on", "off"):
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isascii() and char.isprintable():
        return char
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"


def speaks_of(rule: Rule, facts: Facts) -> bool:
    """Whether the rule would fire for any part of a finding."""
    for match in units(facts.finding):
        facts.look_at(match)
        if all(condition.holds(facts) for condition in rule.conditions):
            return True
    return False
