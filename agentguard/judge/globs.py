"""Sets of globs: `*` is any run of characters (of `/` and `.` too), `?` is one; nothing else is special.

Compiled so that a hostile pattern cannot make matching slow: `fnmatch.translate` emits atomic groups.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass

MAX_GLOB = 256
"""Characters in one glob."""


def glob_problem(text: str) -> str:
    """What is wrong with a glob; "" when nothing is."""
    if not text:
        return "an empty pattern matches nothing"
    if len(text) > MAX_GLOB:
        return f"a pattern may have {MAX_GLOB} characters, this has {len(text)}"
    if "[" in text or "]" in text:
        return "only * and ? are special in a pattern; [ and ] are not allowed"
    return ""


@dataclass(frozen=True, slots=True)
class GlobSet:
    """Plain names in a set, patterns in one regular expression."""

    exact: frozenset[str]
    pattern: re.Pattern[str] | None

    def matches(self, text: str) -> bool:
        return text in self.exact or (self.pattern is not None and self.pattern.match(text) is not None)


def glob_set(globs: Iterable[str]) -> GlobSet:
    """Compile globs that have no problem."""
    names = list(globs)
    wild = [name for name in names if "*" in name or "?" in name]
    pattern = re.compile("|".join(fnmatch.translate(name) for name in wild)) if wild else None
    return GlobSet(frozenset(names) - frozenset(wild), pattern)
