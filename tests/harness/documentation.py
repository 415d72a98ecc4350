"""The command lines that the documentation tells people to type, and the ones it names in passing."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = ("policies/README.md", "README.md")  # The second one purges.
PROGRAM = re.compile(r"(?:\./scripts/)?agentguard\b")
_FENCE = re.compile(r"^ *```(\w*)")
_COMMENT = re.compile(r"(?:^|\s{2,})#\s.*$")
_TYPED = re.compile(r"^(?:\./scripts/|agentguard\b|git |[A-Z_]+=\S+ agentguard\b|.*\| *agentguard\b)")
_PLACEHOLDER = re.compile(r"\b[A-Z]+:LINE\b|\b[A-Z]+\b|'[^']*'|\b\d+\b|\.\.\.|✕|!|; did you mean events\?")
_INLINE = re.compile(r"`((?:\./scripts/)?agentguard [^`]+)`")


@dataclass(frozen=True, slots=True)
class Line:
    """A command line of a page."""

    page: str
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.number} {self.text}"


def typed_lines() -> list[Line]:
    """What stands in a block by itself, to be typed: one line each, without its comment."""
    return [line for page in PAGES for line in _typed(page, (REPOSITORY / page).read_text().splitlines())]


def named_commands() -> list[Line]:
    """What running text names in backticks."""
    found: list[Line] = []
    for page in PAGES:
        for number, text in enumerate((REPOSITORY / page).read_text().splitlines(), 1):
            found += [Line(page, number, match) for match in _INLINE.findall(text)]
    return found


def words_of(text: str) -> list[str]:
    """The verb and what follows, up to a placeholder for an agent's own command."""
    words = shlex.split(text)
    return words[1 : words.index("--")] if "--" in words else words[1:]


def texts_of_the_program() -> Iterator[str]:
    """Every text of its source. What an f-string puts in is left out; what lies between is one text each."""
    for path in (REPOSITORY / "agentguard").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def longest_part(quoted: str) -> str:
    """Of a message with placeholders (`X`, `3`, `'evnts'`, ...), the longest part that is always the same."""
    return max((part.strip(" :;") for part in _PLACEHOLDER.split(quoted)), key=len)


def _typed(page: str, lines: list[str]) -> Iterator[Line]:
    """An indented block that shows what is printed too tells by `$ ` what is typed, as do fenced ones."""
    for start, block in _blocks(lines):
        shown = any(text.startswith("$ ") for text in block)
        for at, text in enumerate(block):
            command = _COMMENT.sub("", text.removeprefix("$ ")).strip()
            if (text.startswith("$ ") or not shown) and _TYPED.match(command):
                yield Line(page, start + at, command)


def _blocks(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Indented and fenced blocks, each with the number of its first line."""
    fenced: list[str] | None = None
    indented: list[str] = []
    for number, text in enumerate([*lines, ""], 1):
        if fenced is not None:
            if _FENCE.match(text):
                yield number - len(fenced), fenced
                fenced = None
            else:
                fenced.append(text)
        elif _FENCE.match(text):
            fenced = []
        elif text.startswith("    "):
            indented.append(text[4:])
        elif indented:
            yield number - len(indented), indented
            indented = []
