"""A sheet as Markdown, for a pull request, an issue or a chat."""

from __future__ import annotations

from functools import partial

from agentguard.show.looks import OUTCOME
from agentguard.show.markdown import code, details, fitted, md, section, table
from agentguard.show.sheets.sheet import Cell, Part, Sheet

_OPEN = 2
"""Parts that stand open; the others are folded."""


def sheet_markdown(sheet: Sheet) -> str:
    return fitted(partial(_parts, sheet), f"`{sheet.more}`")


def _parts(sheet: Sheet, most: int) -> list[str]:
    look = OUTCOME[sheet.outcome]
    facts = "\n".join(f"- {name}: {code(value)}" for name, value in sheet.facts)
    counts = ", ".join(f"{count:,} {name}" for name, count in sheet.numbers)
    top = f"# {look.glyph} {look.word}: {md(sheet.title)}\n\n**{md(sheet.headline)}**"
    parts = [top, facts, f"{counts}." if counts else ""]
    for place, part in enumerate(sheet.parts):
        shown = part.rows[:most]
        body = table(part.head, [[_cell(cell) for cell in row] for row in shown], len(part.rows) - len(shown))
        parts.append(_folded(part, body) if place >= _OPEN else section(part.title, body if shown else part.empty))
    return parts


def _folded(part: Part, body: str) -> str:
    return details(f"{part.title}: {len(part.rows):,}", body) if part.rows else ""


def _cell(cell: Cell) -> str:
    if cell.look:
        return f"{cell.look.glyph} {md(cell.text)}"
    return code(cell.text) if cell.typed and cell.text else md(cell.text)
