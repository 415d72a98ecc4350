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
_SEQUENCES = tuple(
    sequence[at : at + 9]
    for sequence in (b"0123456789abcdefghijklmnopqrstuvwxyz", b"1234567890", b"abcdefghij", b"qwertyuiop")
    for at in range(len(sequence) - 8)
)
_WORDS = re.compile(
    rb"(?i)example|placeholder|changeme|change-me|change_me|redacted|your[-_]?(?:api|key|token|secret|own|pass)"
    rb"|insert[-_]|replace[-_]?(?:me|with)|dummy|sample[-_]?key|not[-_]?a[-_]?real|fake[-_]?(?:key|token|secret)"
)
_FILL_IN = re.compile(rb"\$\{|\$\(|\{\{|<[A-Za-z]|%s|%\(|\$[A-Z]")
_URL_PASSWORD = re.compile(rb"://[^:/@]*:(.+)@", re.DOTALL)
_WEAK_PASSWORDS = frozenset(
    b"password passwd pass pwd secret admin root user test guest changeme example postgres mysql mariadb mongo mongodb"
    b" redis rabbitmq guest123 password123 postgrespassword dbpassword mypassword yourpassword token".split()
)


def is_credential(kind: CredentialType, value: bytes) -> bool:
    """Whether a string that has the form of a type can be one: no placeholder, and of the structure it must have."""
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
        or any(sequence in lowered for sequence in _SEQUENCES)
        or _WORDS.search(value) is not None
    )


def is_placeholder_password(password: bytes) -> bool:
    """Whether the password of a URL is a word that stands for one (`password`, `${DB_PASSWORD}`, `***`)."""
    return (
        password.lower() in _WEAK_PASSWORDS
        or len(set(password)) <= 2
        or _FILL_IN.search(password) is not None
        or _WORDS.search(password) is not None
    )
