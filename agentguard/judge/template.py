"""The sentence a verdict gives as its reason: words with a few safe names in braces."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass

from agentguard.judge.facts import Facts
from agentguard.model.secret import KNOWN_VALUE

MAX_VALUE = 120
"""Characters of one filled-in value: a path may have thousands."""


def _secret(facts: Facts) -> str:
    match = facts.match
    if match is None:
        return "a secret"
    if match.name:
        return match.name
    if match.type != KNOWN_VALUE:
        return match.type
    return f"a value of {_last(match.source_path)}" if match.source_path else "a known value"


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


FIELDS: dict[str, Callable[[Facts], str]] = {
    "agent": lambda facts: "The agent" if facts.agent() == "unknown" else facts.agent(),
    "asked_host": lambda facts: facts.finding.asked_host,
    "command": lambda facts: facts.finding.command_rule,
    "covered_by": lambda facts: facts.finding.gap.covered_by if facts.finding.gap else "",
    "detail": lambda facts: facts.finding.gap.detail.rstrip(".") if facts.finding.gap else "",
    "file": lambda facts: _last(facts.finding.path),
    "host": lambda facts: facts.finding.host,
    "path": Facts.path,
    "place": lambda facts: facts.match.place if facts.match else "",
    "port": lambda facts: str(facts.finding.port),
    "process": Facts.process_name,
    "secret": _secret,
    "subject": lambda facts: facts.finding.subject,
    "type": lambda facts: facts.match.type if facts.match else "",
}
"""Names allowed in braces. None of them holds a secret: findings are redacted."""


@dataclass(frozen=True, slots=True)
class Template:
    """Literal text and field names, in turn."""

    parts: tuple[tuple[str, str], ...]
    """(literal, field name or "")."""

    def fill(self, facts: Facts) -> str:
        return "".join(text + (_shown(FIELDS[name](facts)) if name else "") for text, name in self.parts)


def parse_template(text: str) -> Template:
    """Compile a sentence.

    Raises:
        ValueError: it names a field that does not exist, or has a stray brace; the text says which.
    """
    parsed = list(string.Formatter().parse(" ".join(text.split())))
    for _, name, spec, conversion in parsed:
        if name is not None and (name not in FIELDS or spec or conversion):
            raise ValueError(f"{{{name[:40]}}} cannot be filled in; allowed: {', '.join(FIELDS)}")
    return Template(tuple((literal, name or "") for literal, name, _, _ in parsed))


def _shown(value: str) -> str:
    """Printable and short: file names are anyone's to choose, a terminal obeys their control characters."""
    text = value if len(value) <= MAX_VALUE else value[:40] + "…" + value[-(MAX_VALUE - 41) :]
    if not text.isprintable():
        text = "".join(character if character.isprintable() else "\ufffd" for character in text)
    return text or "(unknown)"
