"""A sheet as one HTML page, in the looks of a session's report."""

from __future__ import annotations

from agentguard.show.looks import OUTCOME
from agentguard.show.report.html import page
from agentguard.show.report.icons import shield
from agentguard.show.report.markup import Child, Html, join, tag
from agentguard.show.report.tables import badge, brief, table
from agentguard.show.sheets.sheet import Cell, Part, Sheet

MOST_ROWS = 200


def sheet_html(sheet: Sheet) -> str:
    """The whole page. Nothing in it is taken from a session without being escaped."""
    look = OUTCOME[sheet.outcome]
    brand = tag("p", shield(), "AgentGuard ", tag("span", sheet.title), class_="brand")
    word = tag("span", tag("span", look.glyph, aria_hidden="true"), f" {look.word}", class_="word")
    title = tag("h1", word, " ", brief(sheet.headline), id="outcome")
    facts = [tag("div", tag("dt", name), tag("dd", brief(value))) for name, value in sheet.facts]
    counts = [
        tag("div", tag("dt", name), tag("dd", f"{count:,}"), class_=None if count else "none")
        for name, count in sheet.numbers
    ]
    main = [
        tag("section", title, class_=f"outcome {sheet.outcome.value}", aria_labelledby="outcome"),
        tag("dl", *facts, class_="facts"),
        tag("dl", *counts, class_="numbers") if counts else None,
        *(_part(part, sheet.more) for part in sheet.parts),
    ]
    return page(
        f"{look.glyph} {look.word}: {sheet.title}",
        tag("header", brand, tag("p", sheet.written), class_="frame top"),
        tag("main", join(main, Html("\n")), class_="frame"),
    )


def _part(part: Part, more: str) -> Html:
    if not part.rows:
        return tag("section", tag("h2", part.title), tag("p", part.empty, class_="soft"))
    rows = [[_cell(cell) for cell in row] for row in part.rows[:MOST_ROWS]]
    left = len(part.rows) - len(rows)
    rest = tag("p", f"And {left:,} more: ", tag("code", more), class_="soft small") if left > 0 else None
    return tag("section", tag("h2", part.title), table(part.about, part.head, rows, rest))


def _cell(cell: Cell) -> tuple[Child, str]:
    if cell.look:
        return badge(cell.look.glyph, cell.text, cell.tone), ""
    if cell.typed and cell.text:
        return tag("code", brief(cell.text)), "wide"
    return brief(cell.text), "number" if cell.number else "wide"
