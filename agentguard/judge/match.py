"""Conditions of a rule: small frozen values that can be tried, explained and pickled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agentguard.judge.facts import Facts
from agentguard.judge.globs import GlobSet, glob_set
from agentguard.judge.vocabulary import AUTH, AUTH_PLACES, FLAGS, MANY, ORDER, TEXT


@dataclass(frozen=True, slots=True)
class TextIs:
    """The word's value is one of those wanted."""

    word: str
    wanted: tuple[str, ...]
    globs: GlobSet

    def holds(self, facts: Facts) -> bool:
        value, globs = TEXT[self.word](facts), self.globs
        return value in globs.exact or (globs.pattern is not None and globs.pattern.match(value) is not None)

    def found(self, facts: Facts) -> str:
        return TEXT[self.word](facts) or "absent"


@dataclass(frozen=True, slots=True)
class AnyIs:
    """One of the word's values is one of those wanted."""

    word: str
    wanted: tuple[str, ...]
    globs: GlobSet

    def holds(self, facts: Facts) -> bool:
        values, globs = MANY[self.word](facts), self.globs
        return not globs.exact.isdisjoint(values) or (globs.pattern is not None and any(map(globs.matches, values)))

    def found(self, facts: Facts) -> str:
        return " and ".join(MANY[self.word](facts)) or "absent"


@dataclass(frozen=True, slots=True)
class Is:
    """The word is true, or false, as wanted."""

    word: str
    value: bool

    @property
    def wanted(self) -> tuple[str, ...]:
        return (_yes(self.value),)

    def holds(self, facts: Facts) -> bool:
        return FLAGS[self.word](facts) is self.value

    def found(self, facts: Facts) -> str:
        return _yes(FLAGS[self.word](facts))


Condition = TextIs | AnyIs | Is


def text_condition(word: str, wanted: Iterable[str]) -> TextIs | AnyIs:
    """`word` is one of `wanted`, globs without a problem."""
    names = tuple(wanted)
    full: list[str] = []
    for name in names:
        full.extend(AUTH_PLACES if word == "place" and name == AUTH else (name,))
    globs = glob_set(full)
    return AnyIs(word, names, globs) if word in MANY else TextIs(word, names, globs)


def in_order(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """The order they are tried in: the vocabulary's, cheap ones first."""
    rank = {word: number for number, word in enumerate(ORDER)}
    return tuple(sorted(conditions, key=lambda condition: rank.get(condition.word, 0)))


def why_not(condition: Condition, facts: Facts) -> str:
    """`destination is other; the rule wants issuer` in words for a person."""
    return f"{condition.word} is {condition.found(facts)}; the rule wants {' or '.join(condition.wanted)}"


def _yes(value: bool) -> str:
    return "true" if value else "false"
