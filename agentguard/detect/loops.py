"""Whether the decoder's loops in C are at hand. What loads them is imported only then: the commit hook starts fast."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentguard.detect.native_loops import Loops

_WORTH = 4096
"""Bytes from which on the loops are worth the loading."""
_in_haste = False


def do_without_loops() -> None:
    """For a process that is over before they would be worth their loading (20 ms, or 1 MB of text): a commit hook."""
    global _in_haste  # noqa: PLW0603 (of the process, said once at its start)
    _in_haste = True


def loops_for(size: int) -> Loops | None:
    """The loops for so many bytes, where they were compiled, and are loaded or worth it."""
    if _in_haste:
        return None
    return _loops() if size >= _WORTH or _loops.cache_info().currsize else None


@cache
def _loops() -> Loops | None:
    """The library of the sources as they are; None where it was not compiled or does not load."""
    from agentguard.detect.native_loops import Loops  # noqa: PLC0415 (ctypes)
    from agentguard.native.find import find_library  # noqa: PLC0415 (10 ms: it knows how to compile, too)

    path = find_library("views")
    try:
        return Loops(str(path)) if path else None
    except (OSError, AttributeError):
        return None
