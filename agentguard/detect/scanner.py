"""Finds secrets in bytes: by the form of a credential type, and by values already known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agentguard.detect.checksum import KEY_BODIES
from agentguard.detect.confirm import Engine
from agentguard.detect.decode import View, Views
from agentguard.detect.fingerprint import Fingerprinter
from agentguard.detect.locator import Locator
from agentguard.detect.matching import Found, Located, ValueHit, ValueHits, merge
from agentguard.detect.parts import CUT
from agentguard.detect.redact import redact_text
from agentguard.detect.rules import CredentialType
from agentguard.detect.stream import BodyScan, StreamScan, TextStream, WindowScan
from agentguard.model.secret import SecretMatch

__all__ = ["BodyScan", "Found", "Located", "Scanner", "StreamScan", "ValueHit", "ValueHits"]

_CONTEXT = 512
"""Bytes kept before a match that waits: what makes it one (a name, a header) stands there."""
_LINE_END = 16
_WHOLE = 1 << 20
"""Bytes scanned in one go; more is scanned in windows, so that the views of it stay small."""


class Scanner(Locator):
    """One for the whole process; every method may run in many threads at once.

    Args:
        types: credential types, in the order the engine was built with.
        engine: of `agentguard.detect.engine.build_engine`.
        fingerprinter: names the values.
        values: the index of known values; it may grow while we scan.
    """

    def __init__(
        self, types: Sequence[CredentialType], engine: Engine, fingerprinter: Fingerprinter, values: ValueHits
    ) -> None:
        super().__init__(types, engine, fingerprinter)
        self._values = values
        self._key_types = frozenset(kind.id for kind in types if kind.checksum in KEY_BODIES)

    @property
    def known_values(self) -> int:
        """How many values are followed: a text that was clean may not be so any more once this has grown."""
        return len(self._values)

    def find(self, data: bytes, words: bytes | None = None) -> list[Found]:
        """Recognised and known secrets in `data` as it stands, with their spans. Ordered by start.

        `words`: the long words of `data`, where they are known.
        """
        return merge(self._locate(data, words), self._values.scan(data, words), self._fingerprinter)

    def scan(self, data: bytes, *, place: str = "") -> list[SecretMatch]:
        """Every secret in `data`, plain or encoded: one match a fingerprint, that of the shortest encoding chain."""
        if len(data) <= _WHOLE:
            return self.window(data, place, final=True).matches
        stream = TextStream(self, place)
        return [*stream.feed(data), *stream.finish()]

    def scan_text(self, text: str, place: str) -> list[SecretMatch]:
        """As `scan`, of a string that may hold surrogate escapes (an argument, a path)."""
        return self.scan(_encode(text), place=place)

    def scan_body(
        self, data: bytes, *, content_type: str = "", content_encoding: str = "", place: str = "body"
    ) -> BodyScan:
        """A whole body: its content codings undone, its multipart fields told apart (`multipart:FIELD`)."""
        stream = self.stream(content_type=content_type, content_encoding=content_encoding, place=place)
        matches = stream.feed(data, final=True)
        return BodyScan([*matches, *stream.finish()], stream.opaque)

    def stream(self, *, content_type: str = "", content_encoding: str = "", place: str = "body") -> StreamScan:
        """For a body that comes in pieces. Not thread-safe: one stream, one thread at a time."""
        return StreamScan(self, content_type=content_type, content_encoding=content_encoding, place=place)

    def redact(self, text: str) -> tuple[str, list[SecretMatch]]:
        """`text` with every secret replaced by its preview, and what was replaced."""
        redacted, matches = redact_text(self, _encode(text))
        return redacted.decode("utf-8", "surrogateescape"), matches

    def window(self, data: bytes, place: str, *, final: bool) -> WindowScan:
        """Matches in one window of a text; where more of it follows, those its end may have cut are held back.

        Args:
            data: the window.
            place: where in the subject it is.
            final: nothing follows.
        """
        by_fingerprint: dict[str, SecretMatch] = {}
        held: int | None = None
        values: list[bytes] = []
        views = Views(data)
        for view in views:
            for found in self.find(view.data, view.words):
                value = view.data[found.start : found.end]
                if self._is_cut(found, view) or (view.from_parts and _begins_another(value, values)):
                    continue  # and whole in the text it is a part of
                values.append(value)
                if not final and view.cut_at_end and self._may_go_on(found, view.data):
                    start = len(data) - 2 * TextStream.CARRY if view.encoding else found.start - _CONTEXT
                    held = max(0, start if held is None else min(held, start))
                elif found.match.fingerprint not in by_fingerprint:
                    encoding = (*view.encoding, *found.match.encoding)
                    by_fingerprint[found.match.fingerprint] = replace(found.match, place=place, encoding=encoding)
        return WindowScan(list(by_fingerprint.values()), held, views.truncated)

    def _may_go_on(self, found: Found, data: bytes) -> bool:
        """Whether more of a match may follow behind the end of `data`."""
        return not self._behind(found, data)

    def _is_cut(self, found: Found, view: View) -> bool:
        """Whether a part ends behind a match."""
        return view.in_parts and self._behind(found, view.data).startswith(CUT)

    def _behind(self, found: Found, data: bytes) -> bytes:
        """What stands behind a match; a private key goes on over line ends."""
        rest = data[found.end : found.end + _LINE_END]
        return rest.strip(b" \t\r\n\\") if found.match.type in self._key_types else rest


def _begins_another(value: bytes, others: list[bytes]) -> bool:
    """Whether a longer one begins like it."""
    return any(len(other) > len(value) and other.startswith(value) for other in others)


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
