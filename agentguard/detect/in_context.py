"""Finds the key that stands behind a provider's name: what the confirmation does for a type told by its context.

Such a type's pattern, with its long gap, is for the engines: `re` would try every length of the gap with every form of
the value. Here the values near the name are found first, and then what stands between is looked at, which is thirty
times as quick in a text full of names and keys.
"""

from __future__ import annotations

import re
from functools import lru_cache

from agentguard.detect.border import is_border
from agentguard.detect.context_form import REACH, REACH_TO_VALUE, REACH_TO_WORD, SECRET_WORDS, spelt
from agentguard.detect.names import says_other
from agentguard.detect.naming import name_before
from agentguard.detect.rarity import is_common, looks_random
from agentguard.detect.rules import CredentialType

_SHORT_WORD = 4
_ASSIGNED = re.compile(
    rb"[A-Za-z0-9_.-]{0,24}[\"'`\\\])]{0,4}[ \t]{0,8}(?:: ?[A-Za-z]{2,12})?[ \t]{0,2}"  # the rest of a name, its type
    rb"[=:?|>,~(]{1,4}[ \t\r\n]{0,8}[\"'`\\({\[]{0,4}"
)
_PRINTABLE = re.compile(rb"[\t\r\n -~]*")
_BEFORE = rb"(?<![A-Za-z0-9_+/.\-])"
_AFTER = rb"(?![A-Za-z0-9_+/=\-]|\.[A-Za-z0-9])"
_BEHIND = 4
"""Bytes behind a value that must be seen to know that it ends."""
_UUID = re.compile(r"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_FEWEST_SIGNS = 6
"""Different ones in a short key: one random key in a thousand has fewer."""
_SHORTEST_RANDOM = 16
"""From here on `looks_random` knows random keys from names; it drops one in a hundred of 16 characters, then fewer."""
_RANDOM_CHANGES = 0.4
MIXED = (
    rb"[A-Za-z][0-9]+[A-Za-z_-]{1,9}[0-9]|[0-9][A-Za-z_-]{1,9}[0-9]+[A-Za-z]"
    rb"|[A-Za-z][0-9]+[A-Za-z][^ ]*[A-Za-z][0-9]+[A-Za-z]"
    rb"|[A-Z]{2}[a-z]{1,2}[A-Z]|[a-z][A-Z][a-z][A-Z]|[a-z][A-Z][0-9]|[a-z][0-9][A-Z]|[A-Z][0-9][a-z]|[0-9][a-z][A-Z]"
    rb"|[0-9][A-Z][a-z][A-Z]"
)
"""Letters of both sizes and digits in each other's midst, as in a random key of 16 characters and in few names. Without
it there is no key, so that an engine need not look for names of providers where no long word has it. Of random keys it
is in all of 32 characters, and of 20 in 99 of a hundred."""
_MIXED = re.compile(MIXED)
_CHANGES = re.compile(r"(?<=[a-z])[A-Z]|(?<=[A-Z])[a-z]")


class InContext:
    """Of one type. Thread-safe."""

    def __init__(self, kind: CredentialType) -> None:
        self._words = tuple(sorted((word.encode("ascii") for word in kind.keywords), key=len, reverse=True))
        self._value = re.compile(_BEFORE + b"(?:" + kind.value_form.encode("ascii") + b")" + _AFTER)
        self._said = _said(kind.then or SECRET_WORDS)
        self._assigned = not kind.then
        self._max_length = kind.max_length

    def find(self, data: bytes, position: int, _floor: int) -> tuple[int, int, int] | None:
        """Where the name at `position` begins, and the half-open span of the nearest key behind it, if there is one."""
        name_end = self._name_end(data, position)
        if name_end is None:
            return None
        stop = min(len(data), position + self._max_length + _BEHIND)
        for value in self._value.finditer(data, name_end, stop):
            start, end = value.span()
            if start - name_end > REACH or (end > stop - _BEHIND and stop < len(data)):
                return None
            if self._introduces(data[name_end:start]) and is_key(data, start, end, named=not self._assigned):
                return position, start, end
        return None

    def _name_end(self, data: bytes, position: int) -> int | None:
        """Where the provider's name ends; None when it is a part of another word: `fal` in `false`, `wit` in `with`."""
        lowered = data[position : position + len(self._words[0])].lower()
        word = next(word for word in self._words if lowered.startswith(word))
        end = position + len(word)
        ends = len(word) > _SHORT_WORD or _ends_name(data, end) or self._said.match(data, end) is not None
        return end if ends and _begins_name(data, position) else None

    def _introduces(self, gap: bytes) -> bool:
        """Whether what stands between name and value leads from the one to the other."""
        if _PRINTABLE.fullmatch(gap) is None:
            return False
        if self._assigned and _ASSIGNED.fullmatch(gap):
            return True
        return any(
            said.start() <= REACH_TO_WORD and len(gap) - said.end() <= REACH_TO_VALUE + 1
            for said in self._said.finditer(gap)
        )


def is_key(data: bytes, start: int, end: int, *, named: bool) -> bool:
    """Whether what stands in such a context, `data[start:end]`, can be a key: its form alone says little.

    `named`: the type says itself what the name must say (`client_id`, `api_hash`), so that it is not asked again.
    """
    if not named and says_other(name_before(data, start)):
        return False
    text = data[start:end].decode("ascii")
    if len(text) < _SHORTEST_RANDOM:
        return not text.isalpha() and len(set(text)) >= _FEWEST_SIGNS and not is_common(text)
    if _MIXED.search(data, start, end) is None:
        return False
    return _UUID.fullmatch(text) is not None or looks_random(text) or _share_of_changes(text) >= _RANDOM_CHANGES


def _share_of_changes(text: str) -> float:
    """From a small letter to a capital or back: 0.5 in random letters, below 0.3 in `namesLikeThis`."""
    return len(_CHANGES.findall(text)) / (len(text) - 1)


@lru_cache(maxsize=256)
def _said(words: tuple[str, ...]) -> re.Pattern[bytes]:
    return re.compile(f"(?i:{'|'.join(map(spelt, words))})".encode("ascii"))


def _begins_name(data: bytes, at: int) -> bool:
    """Whether a word of a name begins at `at`: at a border, behind a digit, or where `aWord` begins a new one."""
    before = data[at - 1 : at]
    return not before.isalpha() or (before.islower() and data[at : at + 1].isupper()) or is_border(data, at)


def _ends_name(data: bytes, at: int) -> bool:
    """Whether a word of a name ends at `at`: no small letter follows, nor a capital behind a capital."""
    after = data[at : at + 1]
    return not after.islower() and not (after.isupper() and data[at - 1 : at].isupper())
