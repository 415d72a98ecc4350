"""A sheet in the format that was asked for."""

from __future__ import annotations

from collections.abc import Iterator

from agentguard.show.sheets.sheet import Sheet


def rendered_sheet(sheet: Sheet, chosen: str, room: int, *, color: bool) -> Iterator[str]:
    """As `text` in `room` columns, `markdown` or `html`; each part with its end."""
    if chosen == "text":
        from agentguard.show.sheets.lines import sheet_lines  # noqa: PLC0415 - each format when it is asked for

        yield from (f"{line}\n" for line in sheet_lines(sheet, room, color=color))
    elif chosen == "markdown":
        from agentguard.show.sheets.markdown import sheet_markdown  # noqa: PLC0415

        yield sheet_markdown(sheet)
    else:
        from agentguard.show.sheets.page import sheet_html  # noqa: PLC0415

        yield sheet_html(sheet)
