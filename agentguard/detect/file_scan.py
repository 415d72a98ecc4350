"""Credentials that lie in a file: where each stands, by line and column, in whatever form it was written down.

The text is looked at as it stands, and in views (`file_views`: escapes, base64, UTF-16). A view has no lines of its
own, so what is found in one is looked for again in the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from agentguard.detect.file_views import FileViews, binary_view
from agentguard.detect.fingerprint import Fingerprinter
from agentguard.detect.matching import Located, match_of
from agentguard.detect.notebook import SUFFIX, cell_of
from agentguard.detect.parse import bytes_of, text_of
from agentguard.detect.rules import CredentialType
from agentguard.model.at_rest import SecretAtRest
from agentguard.model.verdict import Severity

ALLOW = (b"agentguard:allow", b"gitleaks:allow")
"""On the line of a credential: someone has looked at it, and it may stay."""

CARRY = 4096
"""Bytes of the piece before that a piece of a long file begins with: the longest match of any type."""

_LOCK_FILE = re.compile(
    r"(?:^|[/!])(?:[^/!]*\.lockb?|package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|go\.sum"
    r"|gradle\.lockfile|packages\.lock\.json|Package\.resolved|conda-lock\.yml)$"
)
"""Written by a package manager: full of hashes under all kinds of names, none of them chosen by a person."""
_HEAD = 8192
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_MOST_SEARCHED = 32 << 20
"""Bytes of a piece, times its finds whose place does not show at once and is searched for: each takes many looks."""


class LocatingScanner(Protocol):
    """What it needs of the scanner."""

    @property
    def types(self) -> Sequence[CredentialType]: ...

    @property
    def fingerprinter(self) -> Fingerprinter: ...

    def locate(self, data: bytes) -> list[Located]:
        """Credentials recognised by form in the bytes as they stand, by start."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A credential and where in the text it stands. It holds the value: in memory only."""

    located: Located
    line: int
    """From 1; 0 where lines mean nothing."""
    column: int
    """In bytes, from 1; 0 where lines mean nothing."""
    encoding: tuple[str, ...] = ()
    """Decodings peeled off to find it, outermost first."""
    allowed: bool = False
    """A comment on its line allows it."""
    place: str = "file"
    """Where in the file, for a person; of a notebook its cell."""


@dataclass(frozen=True, slots=True)
class FileFinds:
    """What one text holds."""

    placed: list[Placed]
    """By place. The same value at two places stands here twice."""
    truncated: bool = False
    """More is encoded in it than was decoded."""


@dataclass(frozen=True, slots=True)
class _Span:
    """A find by offsets into the text; `start` is -1 where that is not known."""

    start: int
    end: int
    located: Located
    encoding: tuple[str, ...] = ()


class FileScanner:
    """Looks into files. As safe for threads as its scanner is."""

    def __init__(self, scanner: LocatingScanner) -> None:
        self._scanner = scanner

    @property
    def types(self) -> Sequence[CredentialType]:
        """The credential types it knows."""
        return self._scanner.types

    def scan(self, path: str, data: bytes) -> list[SecretAtRest]:
        """Every credential in `data`, the content of a file that is called `path`, but those that a comment allows."""
        return [self.at_rest(path, placed) for placed in self.find(path, data).placed if not placed.allowed]

    def at_rest(self, path: str, placed: Placed, *, first_line: int = 1) -> SecretAtRest:
        """What may be told of it; `first_line` is the number of the text's first line in the file."""
        match = match_of(placed.located, self._scanner.fingerprinter)
        return SecretAtRest(
            path=path,
            line=placed.line and placed.line + first_line - 1,
            column=placed.column,
            match=replace(match, place=placed.place, encoding=placed.encoding),
            severity=severity_of(placed.located),
            allowed=placed.allowed,
        )

    def find(self, path: str, data: bytes, *, carried: int = 0, final: bool = True) -> FileFinds:
        """Every credential in a text, or in a piece of a long one.

        Args:
            path: what the file is called: in some, less counts.
            data: the text, or a piece.
            carried: so many bytes at its start were the end of the piece before: what ends in them was told then.
            final: nothing follows. Else what stands at the very end may go on, and is left to the next piece.
        """
        if not data:
            return FileFinds([])
        encoding: tuple[str, ...] = ()
        beside: list[Located] = []
        if data.startswith(_UTF16) and not carried:
            beside = self._scanner.locate(data)  # whoever reads it need not believe the mark it begins with
            data, encoding = bytes_of(text_of(data)), ("utf-16",)
        binary = b"\0" in data[:_HEAD]
        spans = [_Span(one.start, one.end, one) for one in self._scanner.locate(data)]
        truncated = self._binary(data, spans) if binary else self._text(data, spans)
        spans += [_Span(-1, -1, one) for one in beside]
        end = len(data) if final else len(data) - 1
        spans = [
            span for span in spans if (span.start < 0 or carried < span.end <= end) and counts_in(path, span.located)
        ]
        spans.sort(key=lambda span: span.start)
        placed = list(_placed(data, spans, encoding, binary=binary))
        if path.endswith(SUFFIX) and placed:
            placed = [
                replace(one, place=cell_of(data, span.start) or one.place)
                for one, span in zip(placed, spans, strict=True)
            ]
        return FileFinds(placed, truncated)

    def _text(self, data: bytes, spans: list[_Span]) -> bool:
        """Add what only the views show. Returns whether there was more to decode than was decoded."""
        known = {span.located.value for span in spans}
        searched = 0
        views = FileViews(data)
        for view in views:
            for one in self._scanner.locate(view.data):
                if one.value not in known:
                    known.add(one.value)
                    searched += 1
                    found = _Span(one.start, one.end, one, view.encoding)
                    _enter(self._traced(data, found, view.data, search=searched * len(data) <= _MOST_SEARCHED), spans)
        return views.truncated

    def _binary(self, data: bytes, spans: list[_Span]) -> bool:
        """As `_text`, of a file without lines."""
        known = {span.located.value for span in spans}
        view = binary_view(data)
        for one in self._scanner.locate(view.data) if view else ():
            if view and one.value not in known:
                known.add(one.value)
                spans.append(_Span(-1, -1, one, view.encoding))
        return False

    def _traced(self, data: bytes, found: _Span, view: bytes, *, search: bool) -> _Span:
        """What was found in a view, with its place in the text."""

        def holds(part: bytes) -> bool:
            return any(
                one.value == found.located.value for seen in FileViews(part) for one in self._scanner.locate(seen.data)
            )

        from agentguard.detect.origin import origin  # noqa: PLC0415 (slow to import; a commit hook finds nothing as a rule)

        start, end = origin(data, view[found.start : found.end], holds if search else None)
        return replace(found, start=start, end=end)


def counts_in(path: str, one: Located) -> bool:
    """Whether a find counts in a file of this name: in some, what only a common form tells says nothing."""
    return not one.type.at_rest or _LOCK_FILE.search(path) is None


def severity_of(one: Located) -> Severity:
    """Of the type; a key made to be published is a remark, and one whose checksum is wrong hardly a key."""
    if one.type.public:
        return Severity.INFO
    return Severity.LOW if one.checksum_valid is False else one.type.severity


def _enter(found: _Span, spans: list[_Span]) -> None:
    """Take in a find of a view, unless what stands there is one already: a provider's own type beats a form that many
    share, and else the text as it stands beats a view of it."""
    rivals = [other for other in spans if 0 <= found.start < other.end and other.start < found.end]
    if rivals and (_is_generic(found) or not all(map(_is_generic, rivals))):
        return
    for other in rivals:
        spans.remove(other)
    spans.append(found)


def _is_generic(span: _Span) -> bool:
    return span.located.type.provider == "generic"


def _placed(data: bytes, spans: list[_Span], encoding: tuple[str, ...], *, binary: bool) -> Iterator[Placed]:
    """Lines are counted from one find to the next: a text is gone through once."""
    line, counted = 1, 0
    allowed: dict[tuple[int, int], bool] = {}
    for span in spans:
        chain = (*encoding, *span.encoding)
        if binary or span.start < 0:
            yield Placed(span.located, 0, 0, chain)
            continue
        line += data.count(b"\n", counted, span.start)
        counted = span.start
        column = span.start - data.rfind(b"\n", 0, span.start)
        yield Placed(span.located, line, column, chain, _is_allowed(data, span, allowed))


def _is_allowed(data: bytes, span: _Span, known: dict[tuple[int, int], bool]) -> bool:
    """Whether a comment on one of its lines allows it. A line is gone through once, however many it holds: `known`."""
    begin = data.rfind(b"\n", 0, span.start) + 1
    end = data.find(b"\n", span.end)
    if (begin, end) not in known:
        lines = data[begin : end if end >= 0 else len(data)]
        known[begin, end] = any(word in lines for word in ALLOW)
    return known[begin, end]
