"""What a client sends over a raw connection: scanned as it comes and, where policy can block, held back a little."""

from __future__ import annotations

from agentguard.model.secret import SecretMatch
from agentguard.sense.proxy.interface import BodyScanner
from agentguard.sense.proxy.report import Subject
from agentguard.sense.proxy.upload import HELD_BACK, Offload

IDLE_SECONDS = 0.05
"""A client that is silent this long has said what it had to say: what is held goes on, so that no dialogue stalls.
Longer than the pause between two writes of one message; and what each turn of a dialogue costs."""
_PLACE = "tcp"


class RawStream:
    """One direction of one connection.

    Args:
        scanner: of the session.
        subject: where the connection goes.
        holds: let nothing go on that could be the beginning of a secret.
    """

    def __init__(self, scanner: BodyScanner, subject: Subject, *, holds: bool) -> None:
        self.subject = subject
        self.holds = holds
        self._scanner = scanner
        self._scan = scanner.stream(place=_PLACE)
        self._held = bytearray()
        self._tail = b""
        self._seen: set[str] = set()
        self._armed = False
        self._quiet = True

    async def look(self, data: bytes, offload: Offload) -> list[SecretMatch]:
        """Take what has come, and scan it; b"" says that the client pauses. Matches not reported before."""
        paused = not data and bool(self._held)
        self._held += data
        if paused:
            return self._new(self._scanner.scan(self._tail, place=_PLACE))
        self._quiet = False
        self._tail = (self._tail + data)[-HELD_BACK:]
        return self._new(await offload(len(data), lambda: self._scan.feed(data)))

    def finish(self) -> list[SecretMatch]:
        """The connection is over: matches in what waited."""
        return self._new(self._scan.finish())

    def pass_on(self, *, paused: bool) -> bytes:
        """What may go on of all that was taken."""
        keep = HELD_BACK if self.holds and not paused else 0
        out = bytes(self._held[: max(0, len(self._held) - keep)])
        del self._held[: len(out)]
        return out

    def discard(self) -> None:
        """What is held must not go on."""
        self._held.clear()

    def arm(self) -> bool:
        """Whether a timer is to be started: something is held, and none runs."""
        if self._armed or not self._held:
            return False
        self._armed, self._quiet = True, True
        return True

    def is_idle(self) -> bool:
        """The timer has run: whether nothing has come since it was started."""
        self._armed = False
        return self._quiet

    def _new(self, matches: list[SecretMatch]) -> list[SecretMatch]:
        new = [match for match in matches if match.fingerprint not in self._seen]
        self._seen.update(match.fingerprint for match in new)
        return new
