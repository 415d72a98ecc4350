"""What may come next while a filter is typed. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agentguard.show.filters.keys import KEYS
from agentguard.show.filters.moments import ALLOWED

MOST = 12
"""Offers at once."""
_LAST = re.compile(r"(?:^|\s)(-?)(?:([A-Za-z_]+)(>=|<=|:))?([^\s]*)$")
_TIMES = ("10m", "1h", "24h", "7d")

Known = Callable[[str], Sequence[str]]
"""Name of a key → values that the record holds for it, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Offers:
    """What fits where the cursor stands."""

    start: int
    """Where in the text an offer goes; it replaces everything from there on."""
    texts: tuple[str, ...] = ()
    says: str = ""
    """What is wanted there, in words."""

    def applied(self, text: str, offer: str) -> str:
        return text[: self.start] + offer


def nothing_known(_key: str) -> Sequence[str]:
    return ()


def offers(text: str, known: Known = nothing_known) -> Offers:
    """For the end of `text`: keys, or values of the key that stands there."""
    last = _LAST.search(text)
    if last is None or text.count('"') % 2:
        return Offers(len(text))
    key = KEYS.get((last[2] or "").lower())
    if last[2] is None:
        typed = last[4].lower()
        names = [key.name + key.operators[1 if len(key.operators) > 1 else 0] for key in KEYS.values()]
        fitting = tuple(name for name in names if name.startswith(typed))
        return Offers(last.start(4), fitting[:MOST])
    if key is None:
        return Offers(len(text))
    part = last[4].rpartition(",")[2]
    values = key.choices or (_TIMES if key.name in ("since", "until") else known(key.name))
    fitting = tuple(_quoted(value) for value in values if value.lower().startswith(part.lower()) and value != part)
    return Offers(len(text) - len(part), fitting[:MOST], ALLOWED if key.name in ("since", "until") else key.means)


def _quoted(value: str) -> str:
    """As it must be written: a space would end it."""
    return f'"{value}"' if any(char.isspace() or char == "," for char in value) else value
