"""HTML that escapes by construction: every string is text unless it was made here.

`tag("td", name)` escapes `name` and spells out what could fool a reader; only an `Html`, which nothing outside
this module makes from foreign text, goes in as it is.
"""

from __future__ import annotations

import html
from collections.abc import Iterable

from agentguard.show.text import safe

VOID = frozenset({"meta", "br", "hr", "line", "circle", "path", "rect", "col"})


class Html(str):
    """Finished markup."""

    __slots__ = ()


Child = str | Html | None


def text(value: str) -> Html:
    """`value` as text."""
    return value if isinstance(value, Html) else Html(html.escape(safe(value), quote=True))


def join(parts: Iterable[Child], between: str = "") -> Html:
    """Parts in a row, `between` each two; None is left out."""
    return Html(text(between).join(text(part) for part in parts if part is not None))


def tag(name: str, /, *children: Child, **attributes: str | int | float | None) -> Html:
    """An element. `class_` is `class`, `stroke_width` is `stroke-width`; an attribute of None is left out."""
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Html(f"<{name}{words}>" if name in {"meta", "br", "hr", "col"} else f"<{name}{words}/>")
    return Html(f"<{name}{words}>{join(children)}</{name}>")


def link(address: str, words: str) -> Html:
    """A link to a page of the credential's issuer; anything but https is shown as text."""
    if not address.startswith("https://"):
        return text(words)
    return tag("a", words, href=address, rel="noopener noreferrer")


def prose(words: str) -> Html:
    """Text in which `...` marks what is typed on a command line."""
    parts = words.split("`")
    if len(parts) % 2 == 0:
        return text(words)
    return join(tag("code", part) if number % 2 else text(part) for number, part in enumerate(parts))
