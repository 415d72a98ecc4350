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
from itertools import pairwise

from agentguard.detect.names import says_other
from agentguard.detect.naming import name_before
from agentguard.detect.rarity import is_common, looks_random
from agentguard.detect.rules import Examples

_CLASSES = {
    "hex": "[0-9a-fA-F]",
    "lower": "[0-9a-z]",
    "upper": "[0-9A-Z]",
    "alnum": "[0-9A-Za-z]",
    "letters": "[A-Za-z]",
    "digits": "[0-9]",
    "base32": "[A-Z2-7]",
    "base64": "[0-9A-Za-z+/]",
    "base64url": "[0-9A-Za-z_-]",
    "token": "[0-9A-Za-z_.~-]",
}
_WHOLE = {"uuid": ("[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}", 36)}
_SLOT = re.compile(r"\{([a-z0-9]+)(?::([0-9]{1,3})(?:-([0-9]{1,3}))?)?\}")

_ANY = r"[\t\r\n -~]"
_REACH_TO_WORD, _REACH_TO_VALUE = 48, 32
"""Bytes that may stand between the provider's word and the word for a secret, and between that and the value."""
_SECRET_WORDS = (
    *("key", "token", "secret", "pass", "pwd", "auth", "api", "cred", "access", "bearer", "signature", "license"),
    *("webhook", "client", "account", "session", "jwt", "dsn", "private"),
)
_ASSIGNED = (
    r"[A-Za-z0-9_.-]{0,24}[\"'`\\\])]{0,4}[ \t]{0,8}(?:: ?[A-Za-z]{2,12})?[ \t]{0,2}"  # the rest of a name, its type
    r"[=:?|>,~(]{1,4}[ \t\r\n]{0,8}[\"'`\\({\[]{0,4}"
)
_BEFORE = r"[^A-Za-z0-9_+/.\-]"
_AFTER = r"(?:[^A-Za-z0-9_+/=.\-]|\.(?:[^A-Za-z0-9]|$)|$)"
_REACH = _REACH_TO_WORD + 20 + _REACH_TO_VALUE + 1
"""Most bytes between word and value; an assignment takes up 68, and no word for a secret has more than 20 letters."""
_UUID = re.compile(_WHOLE["uuid"][0])
_FEWEST_DIGITS, _FEWEST_SIGNS = 5, 6
"""Different ones in a key of digits or in a short key: one random key in a thousand has fewer."""
_SHORTEST_RANDOM = 16
"""From here on `looks_random` knows random keys from names; it drops one in a hundred of 16 characters, then fewer."""
_RANDOM_CHANGES = 0.4
_SHORT_WORD = 4
_JOINTS = ("", "_", "-", " ", ".")


@dataclass(frozen=True, slots=True)
class ContextForm:
    """What the engines need of a type that is told by its context."""

    pattern: str
    """Word, context and value, the value in the group `secret`. Only `re` reads it."""
    trigger: str
    """Matches wherever the pattern does, and is quick to compile and to run: for engines that look ahead."""
    keywords: tuple[str, ...]
    max_length: int
    """Most bytes a match may have."""


def expand_context(words: Sequence[str], values: Sequence[str], then: Sequence[str] = ()) -> ContextForm:
    """The pattern of a type that is told by its context.

    Args:
        words: names of the provider, lower case; a space in one may be `_`, `-`, `.`, a space or nothing.
        values: templates of the value.
        then: words that must follow the provider's, in place of any word for a secret.

    Raises:
        ValueError: a template holds a word that is not known, or lacks its length.
    """
    forms = [_value(template) for template in values]
    value = "|".join(form for form, _ in forms)
    said = "|".join(_spelt(one) for one in then or _SECRET_WORDS)
    near = f"{_ANY}{{0,{_REACH_TO_WORD}}}?(?i:{said}){_ANY}{{0,{_REACH_TO_VALUE}}}?{_BEFORE}"
    before = near if then else f"{_ASSIGNED}|{near}"
    return ContextForm(
        pattern=f"(?:{'|'.join(map(_word, words))})(?:{before})(?P<secret>{value}){_AFTER}",
        trigger=f"(?i:{'|'.join(map(_spelt, words))}){_ANY}{{0,{_REACH}}}(?:{value})",
        keywords=tuple(dict.fromkeys(spelling for one in words for spelling in _spellings(one))),
        max_length=max(map(len, words)) + _REACH + max(longest for _, longest in forms) + 2,
    )


def is_key(data: bytes, start: int, end: int) -> bool:
    """Whether what stands in such a context, `data[start:end]`, can be a key: its form alone says little."""
    if says_other(name_before(data, start)):
        return False
    text = data[start:end].decode("ascii")
    if text.isdigit() or _UUID.fullmatch(text):
        return len(set(text)) >= _FEWEST_DIGITS
    if len(text) < _SHORTEST_RANDOM:
        return not text.isalpha() and len(set(text)) >= _FEWEST_SIGNS and not is_common(text)
    return looks_random(text) or _share_of_changes(text) >= _RANDOM_CHANGES


def _share_of_changes(text: str) -> float:
    """From a small letter to a capital or back: 0.5 in random letters, below 0.3 in `namesLikeThis`."""
    changes = sum(
        (left.islower() and right.isupper()) or (left.isupper() and right.islower()) for left, right in pairwise(text)
    )
    return changes / (len(text) - 1)


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


def _word(word: str) -> str:
    """A short word must end where it ends: `fal_key` and `FalKey` name fal, `false` does not."""
    if len(word) > _SHORT_WORD:
        return f"(?i:{_spelt(word)})"
    return f"(?:{word}|{word.capitalize()})(?![a-z])|{word.upper()}(?![A-Za-z])"


def _spelt(word: str) -> str:
    return "[_. -]?".join(map(re.escape, word.split(" ")))


def _spellings(word: str) -> list[str]:
    """Every way to write a name of several words."""
    out = [""]
    for number, part in enumerate(word.split(" ")):
        out = [before + joint + part for before in out for joint in (_JOINTS if number else ("",))]
    return out
