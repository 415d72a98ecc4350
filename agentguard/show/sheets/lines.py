"""A sheet for a terminal, or a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentguard.show.looks import OUTCOME, painted
from agentguard.show.sheets.sheet import Cell, Part, Sheet
from agentguard.show.table import GAP, cells, fitted, widths
from agentguard.show.text import safe, shortened

MOST_ROWS = 40
_LONGEST = 200
_LONGEST_WORDS = 80
"""Of a cell that is no path and no command."""
_BOLD, _SOFT = "1", "2"


def sheet_lines(sheet: Sheet, room: int, *, color: bool) -> Iterator[str]:
    """In `room` columns."""
    look = OUTCOME[sheet.outcome]
    yield f"{painted(f'{look.glyph} {look.word}', look.sgr, color=color)}  {painted(sheet.title, _BOLD, color=color)}"
    yield _plain(sheet.headline)
    yield ""
    width = max(cells(name) for name, _ in sheet.facts)
    for name, value in sheet.facts:
        yield f"{fitted(name, width)}{GAP}{_plain(value)}"
    if sheet.numbers:
        yield ""
        yield ", ".join(f"{count:,} {name}" for name, count in sheet.numbers)
    for part in sheet.parts:
        yield ""
        yield from _part(part, sheet.more, room, color=color)


def _part(part: Part, more: str, room: int, *, color: bool) -> Iterator[str]:
    yield painted(part.title.upper(), _BOLD, color=color)
    if not part.rows:
        yield part.empty
        return
    shown = part.rows[:MOST_ROWS]
    head = [Cell(name.upper(), number=cell.number) for name, cell in zip(part.head, part.rows[0], strict=True)]
    columns = widths([one.text for one in head], [[_text(cell) for cell in row] for row in shown], room)
    yield painted(_line(head, columns, color=False), _SOFT, color=color)
    for row in shown:
        yield _line(row, columns, color=color)
    if len(part.rows) > len(shown):
        yield f"and {len(part.rows) - len(shown):,} more: {more}"


def _line(row: Sequence[Cell], columns: Sequence[int], *, color: bool) -> str:
    return GAP.join(_cell(cell, width, color=color) for cell, width in zip(row, columns, strict=True)).rstrip()


def _cell(cell: Cell, width: int, *, color: bool) -> str:
    text = _text(cell)
    if cell.number:
        return " " * (width - cells(text)) + text
    out = fitted(text, width)
    return painted(out, cell.look.sgr, color=color) if cell.look else out


def _text(cell: Cell) -> str:
    if cell.look:
        return f"{cell.look.glyph} {cell.text}"
    return _plain(cell.text) if cell.typed else shortened(_plain(cell.text), _LONGEST_WORDS)


def _plain(text: str) -> str:
    return shortened(safe(text), _LONGEST)
