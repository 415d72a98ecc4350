"""Reads an HTML page strictly, and says what is wrong with it: for the tests of reports."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise

VOID = {"meta", "br", "hr", "col"}
"""Elements of HTML that have no end tag; those of SVG close themselves."""
IDS = ("aria-labelledby", "aria-describedby", "for", "headers")
"""Attributes that name elements by their ids."""
PHRASES_ONLY = {"p", "h1", "h2", "h3", "summary", "caption", "code", "span", "dt"}
"""Elements that hold text and its markup, no blocks: a browser would close them at the first block."""
BLOCKS = {
    "p",
    "div",
    "ul",
    "ol",
    "dl",
    "table",
    "section",
    "figure",
    "h1",
    "h2",
    "h3",
    "header",
    "footer",
    "main",
    "nav",
}
CHILDREN = {
    "ul": {"li"},
    "ol": {"li"},
    "table": {"caption", "thead", "tbody"},
    "thead": {"tr"},
    "tbody": {"tr"},
    "tr": {"th", "td"},
    "dl": {"div", "dt", "dd"},
}

Attributes = dict[str, str | None]


class Page(HTMLParser):
    """A page whose every element is closed in order; `faults` says what else is wrong with it."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, Attributes]] = []
        self.words: list[str] = []
        self._nesting: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def named(self, name: str) -> list[Attributes]:
        """The attributes of each element of that name."""
        return [attributes for tag, attributes in self.tags if tag == name]

    def faults(self) -> list[str]:
        return [*self._nesting, *self._identity(), *self._outline(), *self._names()]

    def _note(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if len(dict(attrs)) != len(attrs):
            self._nesting.append(f"<{tag}> has an attribute twice")
        parent = self.open[-1] if self.open else ""
        if "svg" in self.open:
            return
        if tag in BLOCKS and PHRASES_ONLY & set(self.open):
            self._nesting.append(f"<{tag}> in <{parent}>")
        if tag not in CHILDREN.get(parent, {tag}):
            self._nesting.append(f"<{tag}> in <{parent}>")

    def _identity(self) -> Iterator[str]:
        ids = Counter(attributes["id"] for _, attributes in self.tags if "id" in attributes)
        yield from (f"id {name} stands {count} times" for name, count in ids.items() if count > 1)
        for tag, attributes in self.tags:
            wanted = [one for key in IDS for one in (attributes.get(key) or "").split()]
            address = attributes.get("href") or ""
            wanted += [address[1:]] if address.startswith("#") else []
            yield from (f"<{tag}> names the id {one}, which is not there" for one in wanted if one not in ids)

    def _outline(self) -> Iterator[str]:
        """One first heading, no level left out, one main landmark."""
        levels = [int(tag[1]) for tag, _ in self.tags if re.fullmatch(r"h[1-6]", tag)]
        if levels[:1] != [1] or levels.count(1) != 1:
            yield f"headings are {levels}"
        yield from (f"h{after} follows h{level}" for level, after in pairwise(levels) if after > level + 1)
        if len(self.named("main")) != 1:
            yield "there must be one main"
        if not (self.named("html")[0].get("lang") and self.named("title")):
            yield "no language or no title"

    def _names(self) -> Iterator[str]:
        """What a picture shows is told, or it is no more than an ornament; a column and a row have their heads."""
        for attributes in self.named("svg"):
            if attributes.get("aria-hidden") != "true" and not attributes.get("aria-labelledby"):
                yield "a picture without a name"
        if any(attributes.get("scope") not in ("col", "row") for attributes in self.named("th")):
            yield "a table's head without a scope"
        if len(self.named("caption")) != len(self.named("table")):
            yield "a table without a caption"
