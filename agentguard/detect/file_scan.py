"""Credentials that lie in a file: where each stands, by line and column, in whatever form it was written down.

The text is looked at as it stands, and in the views that `decode` makes of it (escapes, base64, UTF-16, what is
compressed). A view has no lines of its own, so what is found in one is looked for again in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from agentguard.detect.decode import Views
from agentguard.detect.fingerprint import Fingerprinter
from agentguard.detect.matching import Located, match_of
from agentguard.detect.origin import origin
from agentguard.detect.parse import bytes_of, text_of
from agentguard.model.at_rest import SecretAtRest
from agentguard.model.verdict import Severity

ALLOW = (b"agentguard:allow", b"gitleaks:allow")
"""On the line of a credential: someone has looked at it, and it may stay."""

_HEAD = 8192
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_WINDOW = 1 << 20
_CARRY = 4096
"""The longest match of any type (`CredentialType.max_length`)."""


class LocatingScanner(Protocol):
    """What it needs of the scanner."""

    @property
    def fingerprinter(self) -> Fingerprinter: ...

    def locate(self, data: bytes) -> list[Located]:
        """Credentials recognised by form in the bytes as they stand, by start."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A credential and where in the file it stands. It holds the value: in memory only."""

    located: Located
    line: int
    """From 1; 0 where lines mean nothing."""
    column: int
    """In bytes, from 1; 0 where lines mean nothing."""
    encoding: tuple[str, ...] = ()
    """Decodings peeled off to find it, outermost first."""


@dataclass(frozen=True, slots=True)
class FileFinds:
    """What one file holds."""

    placed: list[Placed]
    """By place. The same value at two places stands here twice."""
    allowed: int = 0
    """Credentials that a comment on their line allows; they are not in `placed`."""
    truncated: bool = False
    """More is encoded in it than was decoded."""


@dataclass(frozen=True, slots=True)
class _Span:
    """A find by offsets into the file's text. `start` is -1 where that is not known."""

    start: int
    end: int
    located: Located
    encoding: tuple[str, ...] = ()


class FileScanner:
    """Looks into files. As safe for threads as its scanner is."""

    def __init__(self, scanner: LocatingScanner) -> None:
        self._scanner = scanner

    def scan(self, path: str, data: bytes) -> list[SecretAtRest]:
        """Every credential in `data`, the content of a file that is called `path`, by place."""
        return [self.at_rest(path, placed) for placed in self.find(data).placed]

    def at_rest(self, path: str, placed: Placed) -> SecretAtRest:
        """What may be told of it."""
        match = match_of(placed.located, self._scanner.fingerprinter)
        return SecretAtRest(
            path=path,
            line=placed.line,
            column=placed.column,
            match=replace(match, place="file", encoding=placed.encoding),
            severity=severity_of(placed.located),
        )

    def find(self, data: bytes) -> FileFinds:
        """As `scan`, for one who needs the values too."""
        encoding: tuple[str, ...] = ()
        if data.startswith(_UTF16):
            data, encoding = bytes_of(text_of(data)), ("utf-16",)
        binary = b"\0" in data[:_HEAD]
        spans = [_Span(one.start, one.end, one) for one in self._scanner.locate(data)]
        truncated = self._look_deeper(data, spans) if data else False
        spans.sort(key=lambda span: span.start)
        allowed = [span for span in spans if not binary and _is_allowed(data, span)]
        kept = [span for span in spans if span not in allowed]
        return FileFinds(list(_placed(data, kept, encoding, binary=binary)), len(allowed), truncated)

    def _look_deeper(self, data: bytes, spans: list[_Span]) -> bool:
        """Add what only the views show. Returns whether there was more to decode than was decoded."""
        known = {span.located.value for span in spans}
        truncated = False
        for start in range(0, len(data), _WINDOW):
            base = max(0, start - _CARRY)
            window = data if len(data) <= _WINDOW else data[base : start + _WINDOW]
            views = Views(window)
            for view in views:
                if not view.encoding:
                    continue
                for one in self._scanner.locate(view.data):
                    if one.value not in known:
                        known.add(one.value)
                        self._place(base, window, _Span(one.start, one.end, one, view.encoding), view.data, spans)
            truncated = truncated or views.truncated
        return truncated

    def _place(self, base: int, window: bytes, span: _Span, view: bytes, spans: list[_Span]) -> None:
        """Where a find of a view stands in the file; nothing when what stands there is known as a find already."""

        def holds(part: bytes) -> bool:
            found = (one.value for seen in Views(part) for one in self._scanner.locate(seen.data))
            return span.located.value in found

        start, end = origin(window, view[span.start : span.end], holds)
        placed = replace(span, start=base + start if start >= 0 else -1, end=base + end)
        rivals = [other for other in spans if start >= 0 and other.start < placed.end and placed.start < other.end]
        if any(other.located.type.provider != "generic" for other in rivals):
            return
        if rivals and placed.located.type.provider == "generic":
            return
        for other in rivals:
            spans.remove(other)
        spans.append(placed)


def severity_of(one: Located) -> Severity:
    """Of the type; a key made to be published is a remark, and one whose checksum is wrong hardly a key."""
    if one.type.public:
        return Severity.INFO
    return Severity.LOW if one.checksum_valid is False else one.type.severity


def _placed(data: bytes, spans: list[_Span], encoding: tuple[str, ...], *, binary: bool) -> Iterator[Placed]:
    """Lines are counted from one find to the next: a file is gone through once."""
    line, counted = 1, 0
    for span in spans:
        chain = (*encoding, *span.encoding)
        if binary or span.start < 0:
            yield Placed(span.located, 0, 0, chain)
            continue
        line += data.count(b"\n", counted, span.start)
        counted = span.start
        yield Placed(span.located, line, span.start - data.rfind(b"\n", 0, span.start), chain)


def _is_allowed(data: bytes, span: _Span) -> bool:
    """Whether a comment on one of its lines allows it."""
    if span.start < 0:
        return False
    begin = data.rfind(b"\n", 0, span.start) + 1
    end = data.find(b"\n", span.end)
    lines = data[begin : end if end >= 0 else len(data)]
    return any(word in lines for word in ALLOW)
