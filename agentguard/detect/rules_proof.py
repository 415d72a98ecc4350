"""Proves a credential type: its pattern means the same to every engine, and its examples come out as they should."""

from __future__ import annotations

import re
from collections.abc import Callable

from agentguard.detect.confirm import Confirmer
from agentguard.detect.placeholders import is_credential
from agentguard.detect.rules import CredentialType

_MAX_REPEAT = 1000
_TOKEN = re.compile(
    r"(?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<escape>\\.)|(?P<group>\(\?(?:P<\w+>|[a-zA-Z]*:|[^)]{0,2}))"
    r"|(?P<repeat>\{[0-9]*(?:,[0-9]*)?\}[+?]?)|(?P<other>.)",
    re.DOTALL,
)
_GROUPS = ("(?:", "(?i:", "(?P<secret>")


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
