"""Whether what is assigned to a name that promises a secret is one.

A machine's secrets are random, and `rarity` tells them from names. A person's passwords are not: of these it is only
asked that they be no word, no name and no label, which is what stands beside `password` everywhere else.
"""

from __future__ import annotations

import re

from agentguard.detect.assignment_names import Promise
from agentguard.detect.assignments import Assignment, How
from agentguard.detect.ngrams import rarity
from agentguard.detect.quiet_values import is_code, is_quiet
from agentguard.detect.rarity import is_common

_SHORTEST = {Promise.PASSWORD: 5, Promise.SECRET: 8, Promise.ISSUED: 16, Promise.KEY: 16}
_RARE = {Promise.SECRET: 0.78, Promise.ISSUED: 0.98, Promise.KEY: 0.90}
"""What a value must reach by `rarity` where it stands in quotes; `scripts/bench accuracy` shows what that finds."""
_UNQUOTED, _NO_DIGIT = 0.06, 0.08
"""More is asked where no quotes say that it is a text, and of letters alone."""
_RANDOM = 1.1
_SHORTEST_BARE = 6
_RANDOM_LETTERS = 8
_SHORTEST_HEX = 16
_FEW_BYTES = 6
_SIGN = re.compile(r"[!@#$%^&*?+=~|]")
_SIGN_OF_POLICY = re.compile(r"[A-Za-z0-9][!@#$%^&*]")
"""A word with a number and such a sign (`Word@123`) is what people make of one when they must; names have none."""
_SAYS_WHAT_IT_IS = re.compile(
    r"(?i)secret|token|passw|public_?key|private_?key|api_?key|credential|auth|aes-?[0-9]{3}"
    r"|^[A-Za-z_]\w*(?:\[[^\]]*\])?\."
)
_UUID = re.compile(r"(?i)\{?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}?")
_HEX = re.compile(r"(?i)(?:0x)?[0-9a-f]+")
_WORDS = re.compile(r"[A-Za-z]+(?:[-_.:/ ]+[A-Za-z]+)+[0-9]{0,2}")
_EXPECTED = re.compile(
    r"(?i)pass|admin|secret|test|user|guest|demo|default|token|welcome|foo|ba[rz]|abc|string|input|field|value|label|text"
    r"|param|name|type|key|hash|md5|sha|utf|base|http|auth|version|step|level|page|item|group|file|data|code|index|note"
)
"""Words of passwords in manuals, and of what is numbered in code."""
_WORD_AND_NUMBER = re.compile(r"[A-Za-z]{5,}[!@#$%^&*?+=~|]?[0-9]{1,6}[!@#$%^&*?+=~|]?")
_TAIL = re.compile(r"[\d\W_]*$")
_NODE = re.compile(r"[*&]|!{1,2}[A-Za-z]+[0-9]?$")
"""A tag, an anchor or what refers to one in YAML; a pointer in C."""
_ESCAPED_BYTES = re.compile(r"(?:\\x[0-9A-Fa-f]{2}){8,}")
_ENDS_A_LABEL = ":?.…"
_MAY_FOLLOW = (b"#", b"//", b"--", b"/*", b"<", b"&", b"|", b"\\", b"@", b">", b"-")
_NEXT_ASSIGNMENT = re.compile(rb"[A-Za-z_][\w.-]*[=:]")
_BARE = frozenset({How.PLAIN, How.ELEMENT, How.WORD})


def is_secret(one: Assignment, promise: Promise) -> bool:
    """Whether this value is a credential, given what its name promises."""
    value, bare = one.value, one.how in _BARE
    if one.how is How.PAIR or (one.how is How.WORD and one.name.text.lower() == "secret"):
        promise = Promise.PASSWORD
    if _ESCAPED_BYTES.fullmatch(value):
        return promise is Promise.SECRET and not bare and _is_noise(bytes.fromhex(value.replace("\\x", "")))
    if len(value) < _SHORTEST[promise] or not value.isascii() or is_quiet(value):
        return False
    if bare and (is_code(value) or _NODE.match(value) or _goes_on(one)):
        return False
    if any(char.isspace() for char in value):
        return promise is Promise.PASSWORD and one.how is How.QUOTED and rarity(value) >= _RARE[Promise.KEY]
    if promise is Promise.PASSWORD:
        return _is_password(value, bare=bare)
    strict = promise is Promise.KEY or one.how in (How.CALL, How.WORD)
    return _is_key(value, promise, (_RARE[Promise.KEY if strict else promise]) + (_UNQUOTED if bare else 0.0))


def is_chosen(value: str) -> bool:
    """Whether the password of a login is one: its place says so, and it is no stand-in and no word."""
    fits = len(value) >= _SHORTEST[Promise.PASSWORD] and value.isascii() and not any(char.isspace() for char in value)
    return fits and not is_quiet(value) and _is_password(value, bare=False)


def is_made(value: str) -> bool:
    """Whether what stands where a token does is one."""
    fits = len(value) >= _SHORTEST[Promise.SECRET] and not is_quiet(value)
    return fits and _is_key(value, Promise.SECRET, _RARE[Promise.KEY])


def _is_noise(value: bytes) -> bool:
    return len(set(value)) > _FEW_BYTES and not (value.isascii() and value.decode("ascii").isprintable())


def _goes_on(one: Assignment) -> bool:
    """The line goes on behind what stands without quotes: an expression or a sentence."""
    rest = one.rest.lstrip(b".,;)}] \t\"'")
    if not rest or rest.startswith(_MAY_FOLLOW) or _NEXT_ASSIGNMENT.match(rest):
        return False
    name = one.name.text
    return not (name.startswith("-") or (name.isupper() and (one.tight or one.how is How.WORD)))


def _is_password(value: str, *, bare: bool) -> bool:
    letters = any(char.isalpha() for char in value)
    digits = any(char.isdigit() for char in value)
    sign = _SIGN.search(value) is not None
    mixed = letters and digits and _SIGN_OF_POLICY.search(value) is not None
    numbered = digits and not _EXPECTED.search(value) and _WORD_AND_NUMBER.fullmatch(value)
    if is_common(value) and not mixed and not numbered:
        return False
    if _WORDS.fullmatch(value) and rarity(value) < _RARE[Promise.KEY]:
        return False
    if bare and (len(value) < _SHORTEST_BARE or not (sign or (digits and letters))):
        return False
    if not digits and not sign:
        return len(value) >= _RANDOM_LETTERS and rarity(value) >= _RARE[Promise.SECRET]
    if not digits and _TAIL.sub("", value).isalpha():
        return len(value) >= _SHORTEST_BARE and value[-1] not in _ENDS_A_LABEL
    return letters or len(value) >= _RANDOM_LETTERS


def _is_key(value: str, promise: Promise, least: float) -> bool:
    """`least`: what it must reach by `rarity`."""
    if _UUID.fullmatch(value):
        return promise is not Promise.KEY
    digits = any(char.isdigit() for char in value)
    if _HEX.fullmatch(value):
        letters = any(char.isalpha() for char in value)
        return promise is not Promise.KEY and digits and letters and len(value) >= _SHORTEST_HEX
    if is_common(value) or value.isdigit():
        return False
    rare = rarity(value)
    if (not digits and promise is Promise.KEY) or (rare < _RANDOM and _SAYS_WHAT_IT_IS.search(value)):
        return False
    return rare >= least + (0.0 if digits else _NO_DIGIT)
