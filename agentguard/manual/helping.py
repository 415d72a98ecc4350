"""Help as text: as wide as the terminal, paragraphs filled, examples and exit statuses at the end."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from collections.abc import Iterable, Sequence

from agentguard.manual.pages import COMMON, PAGES, Page

_WIDEST = 100
_NARROWEST = 40
_EVERY = Page(())


def width() -> int:
    """Columns of a help text: the terminal's, within reason."""
    return max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((80, 24)).columns) - 1)


class Formatter(argparse.HelpFormatter):
    """Fills paragraphs; what is indented is left as it is."""

    def __init__(self, prog: str, indent_increment: int = 2, max_help_position: int = 28) -> None:
        super().__init__(prog, indent_increment, max_help_position, width())

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(filled(block, width, indent) for block in textwrap.dedent(text).strip().split("\n\n"))


def filled(block: str, room: int, indent: str = "") -> str:
    """A paragraph in `room` columns; lines that are indented stay."""
    if block.startswith(" "):
        return block.rstrip()
    return textwrap.fill(
        block, room, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def epilog(words: Sequence[str], actions: bool) -> str:
    """What stands behind the options of a verb, or of one of its actions (`keys show`).

    Args:
        words: the verb, and the action if it is of one.
        actions: the verb has some.
    """
    page = PAGES.get(words[0], _EVERY)
    room = width()
    start = " ".join(("agentguard", *words))
    examples = [(line, what) for line, what in page.examples if len(words) == 1 or start in line]
    parts = [_examples(examples, room)] if examples else []
    if actions:
        parts.append(f"`{start} ACTION --help` explains an action.")
    if len(words) == 1:
        parts.append("exit status:\n" + "\n".join(_listed(statuses(page), room)))
        parts.append(filled("see also: " + ", ".join(f"agentguard {verb}" for verb in page.see), room))
    return "\n\n".join(parts)


def statuses(page: Page) -> list[tuple[str, str]]:
    """Of a verb, and those that every verb has and that it says nothing else of."""
    own = {status for status, _ in page.statuses}
    return [*page.statuses, *(one for one in COMMON if one[0] not in own)]


def _examples(examples: Iterable[tuple[str, str]], room: int) -> str:
    lines = ["examples:"]
    for line, what in examples:
        lines += [f"  {line}", textwrap.fill(what, room, initial_indent=" " * 6, subsequent_indent=" " * 6)]
    return "\n".join(lines)


def _listed(pairs: Sequence[tuple[str, str]], room: int) -> list[str]:
    left = max(len(name) for name, _ in pairs) + 4
    return [
        textwrap.fill(words, room, initial_indent=f"  {name:<{left - 2}}", subsequent_indent=" " * left)
        for name, words in pairs
    ]
