"""Our lines in a file of the user's: put in at its end, found again, and taken out so that every other byte stays.

The marks say all that is needed to restore the file; nothing else has to be kept for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_BEGIN = b"# >>> agentguard >>>"
_END = b"# <<< agentguard <<<"
_JOINED = b" (the line above had no end)"
"""Behind the first mark: the file did not end with a line end before, and shall not afterwards."""
_BLOCK = re.compile(
    rb"(?:\n(?P<joined>" + re.escape(_BEGIN + _JOINED) + rb")\n|^" + re.escape(_BEGIN) + rb"\n)"
    rb"(?:(?!^" + re.escape(_BEGIN) + rb").)*?^" + re.escape(_END) + rb"(?:\n|\Z)",
    re.MULTILINE | re.DOTALL,
)


def with_block(text: bytes, lines: Sequence[str]) -> bytes:
    """`text` with our lines in it: where they stood, else at the end."""
    body = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    found = _BLOCK.search(text)
    if found is not None:
        first = b"\n" + _BEGIN + _JOINED if found["joined"] else _BEGIN
        return text[: found.start()] + first + b"\n" + body + _END + b"\n" + _rest(text[found.end() :])
    joined = bool(text) and not text.endswith(b"\n")
    first = b"\n" + _BEGIN + _JOINED if joined else _BEGIN
    return text + first + b"\n" + body + _END + b"\n"


def without_block(text: bytes) -> bytes:
    """`text` as it was before, and with what the user has written since."""
    found = _BLOCK.search(text)
    if found is None:
        return text
    # What was written below a line without an end got one by it.
    between = b"\n" if found["joined"] and found.end() < len(text) else b""
    return text[: found.start()] + between + _rest(text[found.end() :])


def has_block(text: bytes) -> bool:
    """Whether our lines are in it."""
    return _BLOCK.search(text) is not None


def _rest(text: bytes) -> bytes:
    """What follows a block, without further ones: someone has copied theirs."""
    return _BLOCK.sub(b"", text)
