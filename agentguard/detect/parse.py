"""What a parser of secret files hands on, and the choice of a parser."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that may be a secret. In memory only."""

    name: str
    """Variable or field; "" when it stands alone."""
    value: str = field(repr=False)
    hosts: tuple[str, ...] = ()
    """Hosts its own file says it is for."""
    sure: bool = False
    """The format says that this field is a credential: it need not be rare."""
    whole: str = field(default="", repr=False)
    """The secret of which this is another way of writing; "" when it is one of its own."""


Parser = Callable[[str], Iterator[Candidate]]
"""Text of a file → its candidates. Never raises, whatever the text."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def text_of(data: bytes) -> str:
    """As UTF-8 or UTF-16 by its mark; bytes that are neither come through as surrogate escapes."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace" if encoding != "utf-8" else "surrogateescape")
    return data.decode("utf-8", "surrogateescape")


def bytes_of(value: str) -> bytes:
    """The inverse for one value. JSON may hold half a surrogate pair (`"\\ud800"`), which is no byte of any file."""
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")
