"""Regular expressions as `re` compiles them, in a form that can be kept, and that is used again without `re`."""

from __future__ import annotations

import _sre  # type: ignore[import-not-found]
import sys
from typing import Any

Expression = tuple[int, bytes, int, dict[str, int], tuple[str | None, ...]]
"""What `_sre.compile` takes beside the pattern: flags, code (as machine words), groups, their numbers, their names."""

VERSION = f"{sys.implementation.cache_tag}-{sys.hexversion:x}-{_sre.MAGIC}"
"""Of Python, as far as what comes of a pattern depends on it."""


def expression_of(pattern: str | bytes, flags: int = 0) -> Expression:
    """What `re._compiler.compile` makes of a pattern.

    Raises:
        re.error: it is none.
    """
    from re import _compiler, _parser  # type: ignore[attr-defined]

    parsed = _parser.parse(pattern, flags)
    code = b"".join(word.to_bytes(4, sys.byteorder) for word in _compiler._code(parsed, flags))
    groups: dict[str, int] = parsed.state.groupdict
    names: list[str | None] = [None] * parsed.state.groups
    for name, number in groups.items():
        names[number] = name
    return int(flags | parsed.state.flags), code, parsed.state.groups - 1, groups, tuple(names)


def made_of(pattern: str | bytes, kept: Expression) -> Any:
    """The compiled expression."""
    flags, code, groups, numbers, names = kept
    return _sre.compile(pattern, flags, memoryview(code).cast("I").tolist(), groups, numbers, names)
