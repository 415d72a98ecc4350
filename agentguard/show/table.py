"""Rows of text as a table for a terminal, or as CSV."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Sequence

from agentguard.show.text import safe, shortened

GAP = "  "
NARROWEST = 12
CSV_END = "\r\n"
"""Of each record (RFC 4180)."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet would run, blanks before it or not; the wide forms in East Asian versions."""


def cells(text: str) -> int:
    """Columns that `text` takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def fitted(text: str, width: int) -> str:
    """`text` in exactly `width` columns: padded, or its middle replaced by `…`."""
    text = shortened(text, max(width, 2))  # first by characters: one by one would take minutes for a long name
    size = len(text)
    while cells(text) > width and size > 2:
        size -= 1
        text = shortened(text, size)
    return text + " " * (width - cells(text))


def widths(header: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """Of each column: what its longest cell needs; the last ones are narrowed first until all fit into `room`."""
    needed = [max(cells(row[number]) for row in [header, *rows]) for number in range(len(header))]
    excess = sum(needed) + len(GAP) * (len(needed) - 1) - room
    for number in reversed(range(len(needed))):
        cut = max(0, min(excess, needed[number] - NARROWEST))
        needed[number] -= cut
        excess -= cut
    return needed


def table_line(row: Sequence[str], columns: Sequence[int]) -> str:
    """One line; the last column is not padded."""
    return GAP.join(fitted(cell, width) for cell, width in zip(row, columns, strict=True)).rstrip()


def table(header: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> list[str]:
    """All lines, header first."""
    columns = widths(header, rows, room)
    return [table_line(row, columns) for row in [header, *rows]]


def csv_line(row: Sequence[object]) -> str:
    """One record without its line end. Text that a spreadsheet would run as a formula starts with `'`."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([_csv_cell(value) for value in row])
    return out.getvalue()


def _csv_cell(value: object) -> object:
    if not isinstance(value, str):
        return "" if value is None else value
    text = safe(value)
    return "'" + text if text.lstrip().startswith(_FORMULA) else text
