"""Bodies that come in pieces: decompressed, split into fields and scanned as they come, in bounded memory."""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from agentguard.detect.decompress import MAX_OUTPUT, DecompressError, Decompressor, decompressor
from agentguard.detect.multipart import PartPiece, PartSplitter, boundary_of, field_of
from agentguard.detect.packed import Packed
from agentguard.detect.sealed import Sealed
from agentguard.model.secret import SecretMatch

_DELIMITERS = b" \t\r\n\"'`&,;<>{}()[]|\0"
_MOST_CODINGS = 4
_TOO_MUCH = "more is encoded in it than is decoded"


@dataclass(frozen=True, slots=True)
class BodyScan:
    """What a whole body holds."""

    matches: list[SecretMatch]
    opaque: str
    """Why part of the body could not be read, in words; "" when all of it was."""


@dataclass(frozen=True, slots=True)
class WindowScan:
    """What one window of a text holds."""

    matches: list[SecretMatch]
    held: int | None
    """Start of the earliest match that the end of the window may have cut; None when there is none."""
    truncated: bool
    """Whether more is encoded in it than is decoded."""


class WindowScanner(Protocol):
    """What a stream needs of the scanner."""

    def window(self, data: bytes, place: str, *, final: bool) -> WindowScan:
        """One window of a text."""


class TextStream:
    """A text of any length in windows. Each begins with the last 4 KB of the one before, so that nothing is split;
    a window ends at a delimiter, and what may go on behind it waits for the next."""

    CARRY = 4096
    _WINDOW = 1 << 20

    def __init__(self, scanner: WindowScanner, place: str) -> None:
        self._scanner = scanner
        self._place = place
        self._pending = b""
        self._fresh = 0
        """Where in the pending bytes those begin that no window has held."""
        self._held = False
        """Whether a match waits in the pending bytes for what may follow."""
        self._seen: set[str] = set()
        self.truncated = False
        """Whether more was encoded in it than was decoded."""

    def feed(self, data: bytes, *, final: bool = False) -> list[SecretMatch]:
        """Matches not reported before. The last word may wait for the next call, or for `finish`."""
        out: list[SecretMatch] = []
        for at in range(0, max(len(data), 1), self._WINDOW):
            self._pending += data[at : at + self._WINDOW]
            out += self._scan(final=final and at + self._WINDOW >= len(data))
        return out

    def finish(self) -> list[SecretMatch]:
        """Nothing follows: matches in what waited."""
        return self._scan(final=True)

    def _scan(self, *, final: bool) -> list[SecretMatch]:
        cut = len(self._pending) if final else _safe_cut(self._pending, self.CARRY)
        if cut <= self._fresh and not (final and self._held):
            return []
        window = self._scanner.window(self._pending[:cut], self._place, final=final)
        self.truncated = self.truncated or window.truncated
        self._held = window.held is not None
        keep = max(0, cut - self.CARRY)
        keep = min(keep, window.held) if window.held is not None else keep
        keep = _before_word(self._pending, keep)
        self._pending, self._fresh = self._pending[keep:], cut - keep
        fresh = [match for match in window.matches if match.fingerprint not in self._seen]
        self._seen.update(match.fingerprint for match in fresh)
        return fresh


class _Field:
    """A body or one field of it: as it stands, and what comes out of it when it is an archive."""

    def __init__(self, scanner: WindowScanner, place: str) -> None:
        self._text = TextStream(scanner, place)
        self._packed = Packed(TextStream(scanner, place))
        self._sealed = Sealed()
        self._seen: set[str] = set()

    @property
    def opaque(self) -> str:
        """Why part of it could not be read, in words; "" when all of it was."""
        unread = self._packed.opaque or (_TOO_MUCH if self._text.truncated else "")
        return unread or ("" if self._packed.coding else self._sealed.why)

    def feed(self, data: bytes, *, final: bool = False) -> list[SecretMatch]:
        """Matches not reported before."""
        self._sealed.feed(data)
        return self._new([*self._text.feed(data, final=final), *self._packed.feed(data)])

    def finish(self) -> list[SecretMatch]:
        """Nothing follows: matches in what waited."""
        return self._new([*self._text.finish(), *self._packed.finish()])

    def _new(self, matches: list[SecretMatch]) -> list[SecretMatch]:
        new = [match for match in matches if match.fingerprint not in self._seen]
        self._seen.update(match.fingerprint for match in new)
        return list({match.fingerprint: match for match in reversed(new)}.values())[::-1]


class StreamScan:
    """One body. Feed it the pieces as they come, then finish it.

    Args:
        scanner: scans the windows.
        content_type: header of that name; a multipart's fields are told apart.
        content_encoding: header of that name; a chain is undone last coding first.
        place: where in the subject the body is.
    """

    def __init__(
        self, scanner: WindowScanner, *, content_type: str = "", content_encoding: str = "", place: str = "body"
    ) -> None:
        self._scanner = scanner
        self._place = place
        self._opaque = ""
        self._truncated = False
        self._chain: list[tuple[str, Decompressor]] = []
        self._open_chain(content_encoding)
        boundary = boundary_of(content_type)
        self._splitter = PartSplitter(boundary) if boundary else None
        self._part = 0
        self._text = _Field(scanner, place)
        self._size = 0

    @property
    def opaque(self) -> str:
        """Why part of the body could not be read, in words; "" when all of it was."""
        return self._opaque or self._text.opaque or (_TOO_MUCH if self._truncated else "")

    def feed(self, chunk: bytes, *, final: bool = False) -> list[SecretMatch]:
        """Matches not reported before in the same field; those in the last word may come with a later call.

        `final`: nothing follows but `finish`, which then need not look at the end of a plain body again.
        """
        out: list[SecretMatch] = []
        try:
            for plain in self._decompress(chunk, len(self._chain)):
                self._size += len(plain)
                if self._chain and self._size > MAX_OUTPUT:
                    self._opaque = (
                        f"more than {MAX_OUTPUT >> 20} MB come out of a compressed body; the rest was not read"
                    )
                    break
                out += self._scan(plain, final=final and not self._chain)
        except DecompressError as error:
            # The header may lie: what does not decompress is scanned as it stands, and said to be opaque.
            self._opaque, self._chain = str(error), []
            out += self._scan(chunk)
        return out

    def finish(self) -> list[SecretMatch]:
        """The body is complete: matches in what waited."""
        out = self._scan_parts(self._splitter.feed(b"", final=True)) if self._splitter else []
        return [*out, *self._text.finish()]

    def _open_chain(self, content_encoding: str) -> None:
        codings = [word.strip().lower() for word in content_encoding.split(",")]
        codings = [word for word in codings if word not in ("", "identity")]
        if len(codings) > _MOST_CODINGS:
            self._opaque = f"{len(codings)} content encodings upon each other"
            return
        try:
            self._chain = [(name, decompressor(name)) for name in reversed(codings)]
        except DecompressError as error:
            self._opaque = str(error)

    def _decompress(self, data: bytes, left: int) -> Iterator[bytes]:
        """Through the rest of the chain, depth first: one piece of each coding is in memory at a time."""
        if self._opaque and self._chain:
            return
        if left == 0:
            yield data
            return
        for piece in self._chain[len(self._chain) - left][1].feed(data):
            yield from self._decompress(piece, left - 1)

    def _scan(self, plain: bytes, *, final: bool = False) -> list[SecretMatch]:
        if self._splitter is None:
            return self._text.feed(plain, final=final)
        return self._scan_parts(self._splitter.feed(plain))

    def _scan_parts(self, pieces: Iterator[PartPiece]) -> list[SecretMatch]:
        out: list[SecretMatch] = []
        for piece in pieces:
            if piece.part != self._part:
                out += self._text.finish()
                out += self._begin_part(piece)
            out += self._text.feed(piece.data)
        return out

    def _begin_part(self, piece: PartPiece) -> list[SecretMatch]:
        """The header is scanned too (a file's name goes out as well); a field name that holds a secret is not shown."""
        matches = self._scanner.window(piece.header, self._place, final=True).matches
        self._opaque = self.opaque
        field = "" if matches else field_of(piece.header)
        self._part = piece.part
        self._text = _Field(self._scanner, f"multipart:{field}" if field else self._place)
        return matches


def _safe_cut(data: bytes, reach: int) -> int:
    """Behind the last delimiter, so that no word is cut; at the end when the last `reach` bytes hold none."""
    low = max(0, len(data) - reach)
    last = max(data.rfind(delimiter, low) for delimiter in _EACH_DELIMITER)
    return last + 1 if last >= 0 else len(data) if len(data) > reach else 0


def _before_word(data: bytes, at: int) -> int:
    """The border before `at`: a window that began within a word would see a start where none is.

    Never behind `at`, where a followed value may have begun that the end of the window cuts.
    """
    low = max(0, at - TextStream.CARRY)
    stem = data[low:at].rstrip(_WORD)
    return low + len(stem) - 1 if stem else at if low else 0


_EACH_DELIMITER = tuple(bytes([byte]) for byte in _DELIMITERS)
_WORD = (string.ascii_letters + string.digits).encode()
