"""YAML as plain nodes that remember their line. Built from parser events, so that hostile text stays cheap.

No anchors, aliases, tags or second documents: no file of ours needs one, and each has been an attack.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from agentguard.errors import PolicyError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 8

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STR_TAG = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True)
class Scalar:
    text: str
    line: int
    """1 for the first."""
    plain: bool = False
    """Written without quotes: `true` is a truth value, `"true"` is a word."""


@dataclass(frozen=True, slots=True)
class Items:
    items: list[Node]
    line: int


@dataclass(frozen=True, slots=True)
class Table:
    line: int
    entries: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)
    """Key text to (key, value), in the order written."""


Node = Scalar | Items | Table


def read_yaml(data: bytes, shown: str) -> Node | None:
    """The one document in `data`; None when it is empty.

    Args:
        shown: the file's name in errors.

    Raises:
        PolicyError: `FILE:LINE: what is wrong`.
    """
    if len(data) > MAX_BYTES:
        raise PolicyError(f"{shown}:1: the file has {len(data)} bytes; it may have {MAX_BYTES}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PolicyError(f"{shown}:{line}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    builder = _Builder(shown)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        # What is missing is noticed one line behind the last.
        line = min(mark.line, text.rstrip("\n").count("\n")) + 1 if mark else 1
        raise PolicyError(f"{shown}:{line}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, OverflowError):
        # A forbidden character, or an escape that names none. The parser's own text may quote the file.
        raise PolicyError(f"{shown}:1: not valid YAML: it holds a character that YAML does not allow") from None
    return builder.root


class _Builder:
    """Builds nodes from events with an explicit stack: nesting costs no recursion."""

    def __init__(self, shown: str) -> None:
        self.root: Node | None = None
        self._shown = shown
        self._open: list[tuple[Items | Table, Scalar | None]] = []
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._error(line, "a second document; a file is one document")
        elif isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self._error(line, "anchors and aliases (&, *) are not allowed; write the value out")
        elif isinstance(event, yaml.ScalarEvent):
            self._refuse_tag(event.tag, line)
            self._put(Scalar(event.value, line, plain=event.implicit[0]))
        elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            self._refuse_tag(event.tag, line)
            self._begin(Items([], line) if isinstance(event, yaml.SequenceStartEvent) else Table(line))
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            self._open.pop()

    def _begin(self, node: Items | Table) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise self._error(node.line, f"nested more than {MAX_DEPTH} deep")
        self._put(node)
        self._open.append((node, None))

    def _put(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        parent, key = self._open[-1]
        if isinstance(parent, Items):
            parent.items.append(node)
        elif key is None:
            self._open[-1] = (parent, self._key(parent, node))
        else:
            parent.entries[key.text] = (key, node)
            self._open[-1] = (parent, None)

    def _key(self, table: Table, node: Node) -> Scalar:
        if not isinstance(node, Scalar):
            raise self._error(node.line, "a key must be one word")
        if node.text in table.entries:
            raise self._error(node.line, f"{quoted(node.text)} is given twice")
        return node

    def _refuse_tag(self, tag: str | None, line: int) -> None:
        if tag is not None and tag != _STR_TAG:
            raise self._error(line, "tags (!) are not allowed")

    def _error(self, line: int, text: str) -> PolicyError:
        return PolicyError(f"{self._shown}:{line}: {text}")


def quoted(text: str) -> str:
    """A user's word in an error: short, printable, in quotes."""
    return repr(text if len(text) <= 40 else text[:39] + "…")


def scalars(node: Node) -> Iterator[Scalar]:
    """The scalar itself, or those of a list (anything else in it is left out)."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Items):
        yield from (item for item in node.items if isinstance(item, Scalar))
