"""One glob over a path: its regular expression, and the cheapest thing that can rule it out."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Glob:
    """A compiled glob. One of `exact`, `start`, `end`, `parent` and `folder` is set: what it is filed under."""

    expression: str
    """Matches a whole absolute path."""
    regex: re.Pattern[str]
    weight: int
    """Characters that are no wildcard: the glob that says most wins. A place outweighs any bare name."""
    exact: str = ""
    """The last part of every path it matches."""
    start: str = ""
    """First characters of every last part it matches."""
    end: str = ""
    """Last characters of every last part it matches."""
    parent: str = ""
    """Name of the folder in which everything it matches lies."""
    folder: str = ""
    """Text that every path it matches holds (`/.config/anthropic/`)."""

    def filed_under(self) -> str:
        """What rules it out; "" when nothing does, and every path would have to be tried."""
        return self.exact or self.start or self.end or self.parent or self.folder


_PLACE_WEIGHT = 1000


def name_glob(glob: str) -> Glob:
    """`*` and `?` over the last part of a path; the rest of the path is anything."""
    return _glob(r"(?:.*/)?" + _translate(glob), glob, _weight(glob))


def path_glob(glob: str) -> Glob:
    """`~/...` below any folder, or `/...`; `*` stays inside a part, a final `**` is everything below."""
    body = glob.removeprefix("~")
    below = body.endswith("/**")
    literal = body.removesuffix("**")
    expression = ("(?:.*)?" if glob.startswith("~") else "") + _translate(literal) + (".+" if below else "")
    weight = _weight(glob) + _PLACE_WEIGHT
    if below and "*" not in literal and "?" not in literal:
        return Glob(expression=expression, regex=_compile(expression), weight=weight, folder=literal)
    folder, _, name = body.rpartition("/")
    parent = folder.rpartition("/")[2]
    return _glob(expression, name, weight, "" if "*" in parent or "?" in parent else parent)


def _glob(expression: str, name: str, weight: int, parent: str = "") -> Glob:
    regex = _compile(expression)
    if "*" not in name and "?" not in name:
        return Glob(expression=expression, regex=regex, weight=weight, exact=name)
    if parent:
        return Glob(expression=expression, regex=regex, weight=weight, parent=parent)
    parts = re.split(r"[*?]+", name)
    if len(parts[0]) >= len(parts[-1]):
        return Glob(expression=expression, regex=regex, weight=weight, start=parts[0])
    return Glob(expression=expression, regex=regex, weight=weight, end=parts[-1])


def _compile(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.DOTALL)


def _weight(glob: str) -> int:
    return sum(char not in "*?" for char in glob)


def _translate(glob: str) -> str:
    return "".join("[^/]*" if char == "*" else "[^/]" if char == "?" else re.escape(char) for char in glob)
