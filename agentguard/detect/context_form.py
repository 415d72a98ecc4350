"""Keys without a prefix of their own: told by the provider's name before them and by the form of their value.

Providers give out keys of 32 hexadecimal digits. What makes `DATADOG_API_KEY=…` a credential is the word before it, so
such a type names its words and the form of its value, and is expanded here to a pattern that knows how people write the
two together: `NAME = "v"`, `"name": "v"`, `--name v`, `name => v`, `.setName("v")`, `<name>v</name>`, `X-Name-Key: v`,
`?name_key=v`, a key of its own line below the provider's. Between word and value stands either nothing but the rest of
a name and a sign of assignment, or, within reach, a word that says key, token or secret.

A value is a template (`agentguard.detect.templates`) whose lengths may be ranges: `{hex:32}`, `key-{lower:20-40}`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agentguard.detect.rules import Examples

_CLASSES = {
    "hex": "[0-9a-fA-F]",
    "lower": "[0-9a-z]",
    "upper": "[0-9A-Z]",
    "alnum": "[0-9A-Za-z]",
    "letters": "[A-Za-z]",
    "digits": "[0-9]",
    "base32": "[A-Z2-7]",
    "base58": "[1-9A-HJ-NP-Za-km-z]",
    "base64": "[0-9A-Za-z+/]",
    "base64url": "[0-9A-Za-z_-]",
    "token": "[0-9A-Za-z_.~-]",
}
_WHOLE = {"uuid": ("[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}", 36)}
_SLOT = re.compile(r"\{([a-z0-9]+)(?::([0-9]{1,3})(?:-([0-9]{1,3}))?)?\}")

_ANY = r"[\t\r\n -~]"
REACH_TO_WORD, REACH_TO_VALUE = 48, 32
"""Bytes that may stand between the provider's word and the word for a secret, and between that and the value."""
SECRET_WORDS = (
    *("key", "token", "secret", "pass", "pwd", "auth", "api", "cred", "access", "bearer", "signature", "license"),
    *("webhook", "client", "account", "session", "jwt", "dsn", "private"),
)
REACH = REACH_TO_WORD + 20 + REACH_TO_VALUE + 1
"""Most bytes between word and value; an assignment takes up 68, and no word for a secret has more than 20 letters."""
_JOINTS = ("", "_", "-", " ", ".")


@dataclass(frozen=True, slots=True)
class ContextForm:
    """What the engines need of a type that is told by its context."""

    pattern: str
    """For engines: word, anything within reach, value. `agentguard.detect.in_context` says whether it is a key."""
    value_form: str
    """The expression of the value alone."""
    keywords: tuple[str, ...]
    max_length: int
    """Most bytes a match may have."""


def expand_context(words: Sequence[str], values: Sequence[str]) -> ContextForm:
    """The pattern of a type that is told by its context.

    Args:
        words: names of the provider, lower case; a space in one may be `_`, `-`, `.`, a space or nothing.
        values: templates of the value.

    Raises:
        ValueError: a template holds a word that is not known, or lacks its length.
    """
    forms = [_value(template) for template in values]
    value = "|".join(form for form, _ in forms)
    return ContextForm(
        pattern=f"(?i:{'|'.join(map(spelt, words))}){_ANY}{{0,{REACH}}}(?:{value})",
        value_form=value,
        keywords=tuple(dict.fromkeys(spelling for one in words for spelling in _spellings(one))),
        max_length=max(map(len, words)) + REACH + max(longest for _, longest in forms),
    )


def context_examples(words: Sequence[str], values: Sequence[str], then: Sequence[str] = ()) -> Examples:
    """Every word and every value must be recognised; a value alone, and the hash of a file, must not."""
    names = [word.replace(" ", "_") for word in words]
    said = (*then, "api key")[0].replace(" ", "_")
    shown = [_shortest(value) for value in values]
    assigned = [f"{names[0]}_{said}=".upper() + value for value in shown]
    quoted = [f'"{name}_{said}": "{shown[0]}"' for name in names]
    return Examples(match=(*assigned, *quoted), no_match=(shown[0], f"{names[0]}_checksum: {shown[0]}"))


def _shortest(template: str) -> str:
    """With the least of each range: `{hex:32-64}` becomes `{hex:32}`."""
    return _SLOT.sub(lambda slot: f"{{{slot[1]}:{slot[2]}}}" if slot[2] else slot[0], template)


def _value(template: str) -> tuple[str, int]:
    """The expression of a template, and the most bytes it matches."""
    out: list[str] = []
    position = longest = 0
    for slot in _SLOT.finditer(template):
        literal = template[position : slot.start()]
        expression, most = _slot(slot)
        out += [re.escape(literal), expression]
        longest += len(literal) + most
        position = slot.end()
    rest = template[position:]
    return "".join(out) + re.escape(rest), longest + len(rest)


def _slot(slot: re.Match[str]) -> tuple[str, int]:
    word, least, most = slot[1], slot[2], slot[3] or slot[2]
    if word in _WHOLE:
        return _WHOLE[word]
    if word not in _CLASSES or not least:
        raise ValueError(f"{slot[0]} is no form of a value; there are {', '.join((*_CLASSES, *_WHOLE))}, with a length")
    return f"{_CLASSES[word]}{{{least},{most}}}" if most != least else f"{_CLASSES[word]}{{{least}}}", int(most)


def spelt(word: str) -> str:
    return "[_. -]?".join(map(re.escape, word.split(" ")))


def _spellings(word: str) -> list[str]:
    """Every way to write a name of several words."""
    out = [""]
    for number, part in enumerate(word.split(" ")):
        out = [before + joint + part for before in out for joint in (_JOINTS if number else ("",))]
    return out
