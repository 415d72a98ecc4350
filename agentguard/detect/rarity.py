"""Whether a value is rare enough to be followed.

A followed value is looked for in every request. One that is common (`3000`, `production`, `db.example.org`) would be
found everywhere and accuse everyone. So a value needs length and rarity, and less of it where its name or its file's
format already says that it is a secret: people choose `correct-horse-battery` as a password, nobody as a port.

Why these measures: entropy alone takes every camelCase name for a key. What sets random text apart is how its
characters follow each other: in words, pairs of letters are common ones and letters do not alternate with digits.
"""

from __future__ import annotations

import itertools
import re

from agentguard.detect.names import says_hash, says_public, says_secret
from agentguard.detect.words import PAIRS, made_of_words

SHORTEST = 8
LONGEST = 4096

_FILLER = re.compile(
    r"""(?ix) ^ (?:<.*>|\[.*\]|\{\{.*|%\(.*|\$[A-Z_]+|\$\{.*|\$\(.*|op://.*|vault:.*|enc\[.*|encrypted:.*)$
    | \$\{[A-Za-z_] | \{\{ | \b(?:your|my)[-_ ](?:own[-_ ])?\w+[-_ ](?:here|key|token|secret|password)\b
    | change[-_ ]?(?:me|it|this) | place[-_ ]?holder | replace[-_ ]?(?:me|with|this) | redacted | fill[-_ ]?(?:me|in)\b
    | insert[-_ ] | \bto[-_ ]?do\b | x{5,} | \*{4,} | \.{4,} | (?:^|[-_ ])(?:dummy|example)(?:[-_ ]|$)
    """,
    re.DOTALL,
)
_PLAIN = re.compile(
    r"""(?x) ^ (?:
      [+-]?[0-9][0-9_,]*(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?\ ?(?:[kmgt]?i?b|ms|s|m|h|d|px|%)?       # a number, with a unit
    | v?[0-9]+(?:\.[0-9]+)+(?:[-+.][a-z0-9.]+)?                                                # a version
    | [0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T\ ][0-9:.]+(?:Z|[+-][0-9:]+)?)?                           # a date
    | (?:[0-9]{1,3}\.){3}[0-9]{1,3}(?::[0-9]+|/[0-9]+)? | [0-9a-f:]*::[0-9a-f:/]*              # an address
    | localhost(?::[0-9]+)?(?:/[a-z0-9._/-]*)?
    | (?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,18}(?::[0-9]+)?(?:,.*)?      # a host
    | [A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,18}                      # mail
    | arn:[a-z-]+:.* | (?:sha(?:1|256|384|512)|md5)[-:].* | .*@sha256:.* | data:[a-z]+/.*
    | (?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S+)\ AAAA.* | -----BEGIN\ (?:CERT|PUBLIC|RSA\ PUBLIC|SSH2\ PUBLIC).*
    | [A-Za-z]:\\.*                                                                            # a Windows path
    ) $""",
    re.DOTALL,
)
_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]*://")
_PATH = re.compile(r"(?:~|\.{1,2})?/[^\s]*|[\w.@-]+(?:/[\w.@ -]+)+")
_UUID = re.compile(r"(?i)\{?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}?")
_HEX = re.compile(r"(?i)[0-9a-f]{32,}")
_RUNS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_CLASSES = tuple(re.compile(expression) for expression in (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^A-Za-z0-9\s]"))
_SEQUENCE = "01234567890 abcdefghijklmnopqrstuvwxyz qwertyuiopasdfghjklzxcvbnm 9876543210"
_NOISE = 0.5
_NOISE_MIXED = 0.4
_RARE_SHARE = 0.2
_SHORT_NUMBER = 6
_LONG_NUMBER = 11
_SEPARATORS = frozenset("-_./: ,;|\\@")


def is_secret(value: str, name: str = "", *, sure: bool = False, strict: bool = False) -> bool:
    """Whether to follow this value.

    `sure`: the file's format says that the field is a credential. `strict`: the file holds much that is no secret
    (an agent's state, a history), so that only the name counts and rarity alone does not.
    """
    if not SHORTEST <= len(value) <= LONGEST or "\0" in value or _is_filler(value):
        return False
    named = sure or says_secret(name)
    if _PLAIN.match(value.lower() if value.islower() else value):
        return named and value.isdigit() and len(value) >= 10
    if _URL.match(value):
        return sure
    if named:
        return not is_common(value) and (sure or not _is_path(value))
    if (
        strict
        or says_public(name)
        or any(char.isspace() for char in value)
        or _UUID.fullmatch(value)
        or _is_path(value)
    ):
        return False
    if _HEX.fullmatch(value):
        return not says_hash(name) and not value.isdigit()
    return looks_random(value) and not is_common(value)


def is_common(value: str) -> bool:
    """Made of common words, short numbers and signs (`postgres123`, `my-app-secret`, `12-34-5678`)."""
    if len(value) > 64:
        return False
    letters = rare_letters = digits = 0
    for run in _RUNS.findall(value):
        if run.isdigit():
            digits += 0 if run in _SEQUENCE else len(run)
        else:
            letters += len(run)
            rare_letters += 0 if len(run) > 1 and made_of_words(run.lower()) else len(run)
    if rare_letters > letters * _RARE_SHARE:
        return made_of_words("".join(char for char in value.lower() if char.isalpha())) and digits <= _SHORT_NUMBER
    return digits <= (_SHORT_NUMBER if letters else _LONG_NUMBER)


def looks_random(value: str) -> bool:
    """Long or mixed enough for its length, and its characters do not follow each other as in words."""
    classes = sum(1 for pattern in _CLASSES if pattern.search(value))
    noise = _noise(value)
    if len(value) >= 16:
        return noise >= (_NOISE_MIXED if classes >= 3 else _NOISE) and (classes >= 2 or len(value) >= 20)
    if len(value) >= 12:
        return classes >= 3 and noise >= 0.6
    return classes == 4 and noise >= 0.7


def _noise(value: str) -> float:
    """Share of neighbouring characters that do not belong together in words: 0.1 in text, 0.75 in random letters."""
    noisy = natural = 0
    for left, right in itertools.pairwise(value):
        if left in _SEPARATORS or right in _SEPARATORS or (left.isdigit() and right.isdigit()):
            continue
        letters = left.isalpha() and right.isalpha()
        if letters and (left + right).lower() in PAIRS:
            natural += 1
        else:
            noisy += 1
    return noisy / (noisy + natural) if noisy + natural else 0.0


def _is_filler(value: str) -> bool:
    if _FILLER.search(value):
        return True
    lowered = value.lower()
    return len(set(lowered)) <= max(3, min(8, len(value) // 6)) or lowered in _SEQUENCE


def _is_path(value: str) -> bool:
    return _PATH.fullmatch(value) is not None and not (len(value) >= 20 and looks_random(value.replace("/", "")))
