"""The filter language: `session:last kind:file severity>=high host:paste.example process:curl words to find`."""

from __future__ import annotations

import re

from agentguard.model.finding import Kind
from agentguard.model.verdict import Severity
from agentguard.record.reader import EventQuery

FIELDS = ("session:", "severity>=", "kind:", "host:", "process:")
HINT = "session:last  severity>=high  kind:file,http  host:paste.example  process:curl  or any words"

_TOKEN = re.compile(r'(?P<key>[A-Za-z_]+)(?P<op>>=|<=|[:=<>])(?P<value>"[^"]*"|\S*)|(?P<quoted>"[^"]*")|(?P<word>\S+)')
_OPERATOR = {"session": ":", "severity": ">=", "kind": ":", "host": ":", "process": ":"}


class FilterError(ValueError):
    """The filter cannot be read; the text says why and what to write instead, in one line."""


def parse_filter(text: str) -> EventQuery:
    """Read what a person typed. `session` of the answer is a name: a uid, a beginning of one, or `last`.

    Raises:
        FilterError: with one line that says what is wrong and what would be right.
    """
    if text.count('"') % 2:
        raise FilterError('a quote is not closed: write "two words"')
    values: dict[str, str] = {}
    words: list[str] = []
    for token in _TOKEN.finditer(text):
        key, operator, value = token["key"], token["op"], token["value"]
        if key is None or (operator == ":" and value.startswith("//")):
            words.append(token[0].strip('"'))
            continue
        _check(key.lower(), operator, value)
        if key.lower() in values:
            raise FilterError(f"{key.lower()} is given twice; give it once")
        values[key.lower()] = value.strip('"')
    return EventQuery(
        session=values.get("session"),
        min_severity=_severity(values["severity"]) if "severity" in values else None,
        kinds=_kinds(values["kind"]) if "kind" in values else None,
        host=values.get("host", "").lower().rstrip("."),
        process=values.get("process", ""),
        text=" ".join(words) or None,
    )


def _check(key: str, operator: str, value: str) -> None:
    if key not in _OPERATOR:
        raise FilterError(f'no field "{key}"; fields are {", ".join(FIELDS)}; quote the words to search for them')
    if operator != _OPERATOR[key]:
        raise FilterError(f"write {key}{_OPERATOR[key]}VALUE, not {key}{operator}{value}")
    if not value.strip('",'):
        raise FilterError(f"{key}{operator} needs a value")


def _severity(value: str) -> Severity:
    short = {"med": "medium", "crit": "critical"}.get(value.lower(), value.lower())
    try:
        return Severity(short)
    except ValueError:
        raise FilterError(f'no severity "{value}"; one of {", ".join(Severity)}') from None


def _kinds(value: str) -> tuple[Kind, ...]:
    try:
        return tuple(Kind(part.lower()) for part in value.split(",") if part)
    except ValueError:
        raise FilterError(f'no kind "{value}"; one of {", ".join(Kind)}') from None
