"""Text as GitHub-flavoured Markdown, in which nothing that an agent chose is markup, a link, a mention or a column."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from agentguard.show.phrases import plural
from agentguard.show.text import safe, shortened

MOST_BYTES = 65_536
"""What GitHub takes of an issue, a pull request or a comment. It counts characters; we count bytes, and are safe."""

LONGEST = 240
"""Characters of one value: the whole of it stands in the JSON report."""

_SPECIAL = re.compile(
    r"(?P<mention>[@#])|[\\`*\[\]<>~&!|$]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|/(?=/)|(?<=\bwww)\.", re.IGNORECASE
)
_PIPE = re.compile(r"(?<!\\)\|")
_ROWS = (100, 40, 15, 5, 1)
"""Rows of each table, tried in this order until all of it fits."""


def md(text: str) -> str:
    """`text` as text. A mention or a reference is taken apart after Markdown was read, so a space of no width, which
    is none, stands behind its sign."""
    clean = shortened(safe(text), LONGEST)
    return _SPECIAL.sub(lambda found: f"\\{found[0]}" + ("&#8203;" if found["mention"] else ""), clean)


def code(text: str) -> str:
    """`text` in a code span, whatever backticks it holds."""
    clean = shortened(safe(text), LONGEST)
    longest = max((len(run) for run in re.findall("`+", clean)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if clean.startswith("`") or clean.endswith("`") or not clean else ""
    return f"{fence}{pad}{clean}{pad}{fence}"


def prose(words: str) -> str:
    """Text in which `...` marks what is typed on a command line."""
    parts = shortened(words, 3 * LONGEST).split("`")
    if len(parts) % 2 == 0:
        return md(words)
    return "".join(code(part) if number % 2 else md(part) for number, part in enumerate(parts))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], more: int = 0) -> str:
    """Cells are Markdown already; "None was seen." where there is no row. `more`: rows that are left out."""
    lines = ["| " + " | ".join(_PIPE.sub(r"\|", cell) for cell in cells) + " |" for cells in rows]
    if not lines:
        return "None was seen."
    note = f"\n\nAnd {plural(more, 'more row')}." if more > 0 else ""
    top = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(top + lines) + note


def section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}"


def details(title: str, body: str) -> str:
    """A part that is opened by a click. `title` is of our own words."""
    return f"<details>\n<summary><b>{title}</b></summary>\n\n{body}\n\n</details>"


def fitted(render: Callable[[int], Sequence[str]], elsewhere: str) -> str:
    """The parts, as much of them as GitHub takes, and a note where that is not all.

    Args:
        render: the parts, most telling first, with so many rows in each table.
        elsewhere: the command that prints what is left out.
    """
    note = f"*Shortened to what GitHub takes. {prose(elsewhere)} has all of it.*"
    for rows in _ROWS:
        parts = [*filter(None, render(rows)), *([note] if rows < _ROWS[0] else [])]
        if _size(parts) <= MOST_BYTES:
            return _joined(parts)
    *parts, note = parts
    while len(parts) > 1 and _size([*parts, note]) > MOST_BYTES:
        parts.pop()
    return _joined([*parts, note])


def _size(parts: Sequence[str]) -> int:
    return len(_joined(parts).encode())


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(parts) + "\n"
