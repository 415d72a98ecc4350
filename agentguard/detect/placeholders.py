"""What looks like a credential and is none: examples, fill-ins, our own previews."""

from __future__ import annotations

import re

from agentguard.detect.checksum import STRUCTURE_REQUIRED, canonical, check
from agentguard.detect.rules import CredentialType

_RUN = re.compile(rb"([xX*.#01_-])\1{5}|(.)\2{9}")
_FEW_LETTERS = 4
_STRUCTURED = frozenset({"jwt", "pem", "pgp"})
"""Kinds whose values hold runs of one letter by nature."""
_SHORTEST_KEY = 48
_ORDERS = (b"01234567890", b"abcdefghijklmnopqrstuvwxyz", b"0123456789abcdef", b"qwertyuiop")
_NEXT = frozenset(order[at : at + 2] for order in _ORDERS for at in range(len(order) - 1))
_SHORTEST_SEQUENCE = 6
_WORDS = re.compile(
    rb"(?i)example|placeholder|changeme|change-me|change_me|redacted|your[-_]?(?:api|key|token|secret|own|pass)"
    rb"|insert[-_]|replace[-_]?(?:me|with)|dummy|sample[-_]?key|not[-_]?a[-_]?real|fake[-_]?(?:key|token|secret)"
)
_FILL_IN = re.compile(rb"\$\{|\$\(|\{\{|<[A-Za-z]|%s|%\(|\$[A-Z]")
_NAMED = re.compile(rb"\{[^{}]+\}|[A-Z][A-Z_]{2,}")
"""A field of a format, a word in capitals: what stands for a password in a program or a manual."""
_URL_PASSWORD = re.compile(rb"://[^:/@]*:(.+)@", re.DOTALL)
_WEAK_PASSWORDS = frozenset(
    b"password passwd pass pwd secret admin root user test guest changeme example postgres mysql mariadb mongo mongodb"
    b" redis rabbitmq guest123 password123 postgrespassword dbpassword mypassword yourpassword token".split()
)


def is_credential(kind: CredentialType, value: bytes) -> bool:
    """Whether a string that has the form of a type can be one: no placeholder, and of the structure it must have.

    A filter has judged more than the value before.
    """
    if kind.filter is not None:
        return True
    if kind.checksum in STRUCTURE_REQUIRED and not check(kind.checksum, value):
        return False
    if kind.checksum in _STRUCTURED:
        return len(canonical(kind.checksum, value)) >= _SHORTEST_KEY
    return not is_placeholder(value)


def is_placeholder(value: bytes) -> bool:
    """Whether a recognised string is an example or a fill-in. Random keys of 20 characters are never taken for one."""
    password = _URL_PASSWORD.search(value)
    if password:
        return is_placeholder_password(password[1])
    lowered = value.lower()
    return (
        lowered in _WEAK_PASSWORDS
        or _RUN.search(value) is not None
        or _FILL_IN.match(value) is not None
        or len(set(lowered[-16:])) <= _FEW_LETTERS
        or 2 * _in_sequence(lowered) >= len(lowered)
        or _WORDS.search(value) is not None
    )


def _in_sequence(lowered: bytes) -> int:
    """Characters that stand in sequences as they are typed without thought: `1234567890abcdef`."""
    total, start = 0, 0
    for at in range(1, len(lowered) + 1):
        if lowered[at - 1 : at + 1] in _NEXT:
            continue
        if at - start >= _SHORTEST_SEQUENCE:
            total += at - start
        start = at
    return total


def is_placeholder_password(password: bytes) -> bool:
    """Whether the password of a URL is a word that stands for one (`password`, `${DB_PASSWORD}`, `***`)."""
    return (
        password.lower() in _WEAK_PASSWORDS
        or len(set(password)) <= 2
        or _NAMED.fullmatch(password) is not None
        or _FILL_IN.search(password) is not None
        or _WORDS.search(password) is not None
    )
