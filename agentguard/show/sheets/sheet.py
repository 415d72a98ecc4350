"""A report made of tables, before anyone decided how it is shown. Nothing in it is escaped yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agentguard.model.verdict import Outcome
from agentguard.show.looks import OUTCOME, Look


@dataclass(frozen=True, slots=True)
class Cell:
    """One place of a table."""

    text: str
    typed: bool = False
    """A name, a path or a command: shown as such."""
    number: bool = False
    look: Look | None = None
    """A glyph before the text, and a colour."""
    tone: str = ""
    """With `look`: the class of that colour in HTML."""


Row = Sequence[Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A table with its title."""

    title: str
    head: Sequence[str]
    rows: Sequence[Row]
    empty: str
    """A sentence for when there is no row."""
    about: str
    """A sentence on how it is to be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The whole."""

    outcome: Outcome
    """The worst in it."""
    title: str
    """What it is of, in a few words."""
    headline: str
    """What came of it, in one sentence."""
    facts: Sequence[tuple[str, str]]
    """Name and value."""
    numbers: Sequence[tuple[str, int]] = ()
    """What was counted, and how many."""
    parts: Sequence[Part] = field(default_factory=tuple)
    more: str
    """The command that prints all of it for a program."""
    written: str
    """When it was made."""


def words(text: str) -> Cell:
    return Cell(text)


def typed(text: str) -> Cell:
    return Cell(text, typed=True)


def number(count: int) -> Cell:
    return Cell(f"{count:,}", number=True)


def seen(look: Look, tone: str) -> Cell:
    """A word with its glyph."""
    return Cell(look.word.lower(), look=look, tone=tone)


def outcome_cell(outcome: Outcome) -> Cell:
    return seen(OUTCOME[outcome], outcome.value)


def some(values: Iterable[str], most: int = 3) -> str:
    """The first of them, and how many more there are."""
    found = list(dict.fromkeys(values))
    left = len(found) - most
    return ", ".join(found[:most]) + (f" and {left:,} more" if left > 0 else "")
