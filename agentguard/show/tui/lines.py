"""Lines of a picture: headings, labelled fields, and long lines that go on below their own text. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from textual.content import Content

from agentguard.show.tui.words import MUTED

LABEL = 9
"""Cells of a field's label."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line; what does not fit goes on below, `indent` cells from the left."""

    content: Content
    indent: int = 0


def blank() -> Line:
    return Line(Content())


def heading(text: str) -> Line:
    """`text` is clean already."""
    return Line(Content.styled(text, "bold $text-primary"))


def field(label: str, text: str | Content, style: str = MUTED) -> Line:
    """A muted label and its text; `text` is clean already."""
    return Line(Content.assemble((label.ljust(LABEL), style), text), LABEL)


def bullet(text: str | Content, glyph: str = " ", style: str = "") -> Line:
    """Below a heading."""
    return Line(Content.assemble((f"{glyph} ".rjust(4), style), text), 4)


def joined(lines: Iterable[Line], width: int) -> Content:
    """All of them, none wider than `width`."""
    return Content("\n").join(part for line in lines for part in _parts(line, width))


def _parts(line: Line, width: int) -> Iterator[Content]:
    content, indent = line.content, line.indent
    if content.cell_length <= width:
        yield content
        return
    room = max(8, width - indent)
    first, *rest = content.divide([indent])[-1].wrap(room) if indent else content.wrap(room)
    yield content.divide([indent])[0] + first if indent else first
    for part in rest:
        yield Content(" " * indent) + part
