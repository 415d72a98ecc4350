"""A request body that is passed on while it arrives: scanned as it goes, and held back a little where policy can block.

An exception in a mitmproxy stream callable loses the chunk and still answers 200, so nothing may escape from here.
"""

from __future__ import annotations

from collections.abc import Callable

from agentguard.model.secret import SecretMatch
from agentguard.sense.proxy.interface import StreamScan

HELD_BACK = 4096
"""Bytes kept until more come, so that a secret split between chunks has not half left when it is seen."""


class Upload:
    """`flow.request.stream`: called with each chunk, and with b"" at the end."""

    def __init__(
        self,
        scan: StreamScan,
        on_matches: Callable[[list[SecretMatch], int], bool],
        on_failure: Callable[[Exception], None],
        *,
        hold: bool,
    ) -> None:
        """
        Args:
            scan: of this body.
            on_matches: told of new matches and the bytes so far; True when the request must not go on.
            on_failure: told of an error; the body then passes unscanned.
            hold: keep the last bytes back until the next chunk.
        """
        self._scan = scan
        self._on_matches = on_matches
        self._on_failure = on_failure
        self._keep = HELD_BACK if hold else 0
        self._held = b""
        self._seen: set[str] = set()
        self._cut = False
        self._failed = False
        self.size = 0
        """Bytes so far."""

    @property
    def opaque(self) -> str:
        return self._scan.opaque

    def __call__(self, chunk: bytes) -> list[bytes]:
        if self._cut:
            return []
        if not self._failed:
            try:
                self._look(chunk)
            except Exception as error:  # whatever it is, the body must not be lost
                self._failed = True
                self._on_failure(error)
        if self._cut:
            self._held = b""
            return []
        return self._release(chunk)

    def _look(self, chunk: bytes) -> None:
        self.size += len(chunk)
        matches = self._scan.feed(chunk) if chunk else self._scan.finish()
        new = [match for match in matches if match.fingerprint not in self._seen]
        if new:
            self._seen.update(match.fingerprint for match in new)
            self._cut = self._on_matches(new, self.size)

    def _release(self, chunk: bytes) -> list[bytes]:
        held = self._held + chunk
        keep = self._keep if chunk and not self._failed else 0
        out = held[: len(held) - keep] if len(held) > keep else b""
        self._held = held[len(out) :]
        return [out] if out else []
