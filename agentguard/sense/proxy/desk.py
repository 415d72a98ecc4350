"""What the addons share: who is connected, what was counted, and the one way out for observations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from agentguard.model.observation import GapType
from agentguard.model.process import Confidence, ProcessSnapshot
from agentguard.model.secret import SecretMatch
from agentguard.sense.gap_log import GapLog
from agentguard.sense.proxy.gaps import proxy_gap
from agentguard.sense.proxy.gates import Gates
from agentguard.sense.proxy.interface import Guard
from agentguard.sense.proxy.report import Caller, Subject, observe, redacted
from agentguard.sense.proxy.wire import Seen

T = TypeVar("T")

INLINE = 128 << 10
"""Up to this many bytes are scanned on the event loop, in 0.3 to 1.5 ms: a request to a model mostly, and less than the
way to a thread and back costs on a busy machine. More would delay other connections."""


@dataclass(slots=True)
class Counts:
    """Since the child's start."""

    connections: int = 0
    requests: int = 0
    lost: int = 0
    """Requests, or parts of them, that were not looked at."""


class Desk:
    """One a proxy. Used on the event loop only."""

    def __init__(self, guard: Guard, send: Callable[[Seen], None]) -> None:
        self.guard = guard
        self.scanner = guard.scanner
        self.counts = Counts()
        self.gates = Gates()
        self.active = True
        """False: the supervisor is gone, and what passes is not looked at."""
        self._gaps = GapLog(send)
        self._send = send
        self._callers: dict[str, Caller] = {}
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="scan")

    def welcome(self, client_id: str, caller: Caller) -> None:
        self.counts.connections += 1
        self._callers[client_id] = caller

    def caller(self, client_id: str) -> Caller:
        """Who that connection belongs to; an unknown one when it is not known."""
        return self._callers.get(client_id) or Caller(None, Confidence.NONE)

    def farewell(self, client_id: str) -> None:
        self._callers.pop(client_id, None)

    def report(self, caller: Caller, subject: Subject, matches: Sequence[SecretMatch]) -> str:
        """Send the observation of something that holds credentials; the rule that blocks it, or ""."""
        if not matches:
            return ""
        draft = observe(self.scanner, caller, subject, matches)
        rule = self.guard.decide(draft) if self.guard.can_block else ""
        self._send(replace(draft, enforced_rule=rule))
        return rule

    def misnamed(self, caller: Caller, subject: Subject) -> None:
        """Tell of a client that reached one host and asked for another, whatever it sends there."""
        self._send(observe(self.scanner, caller, subject, ()))

    def blocks(self, caller: Caller, subject: Subject, matches: Sequence[SecretMatch]) -> bool:
        """Whether `report` would answer with a rule. Sends nothing."""
        if not matches or not self.guard.can_block:
            return False
        return bool(self.guard.decide(observe(self.scanner, caller, subject, matches)))

    def gap(
        self,
        kind: GapType,
        detail: str,
        *,
        process: ProcessSnapshot | None = None,
        remedy: str = "",
        harmless: bool = False,
    ) -> None:
        """Say that something was not seen. `harmless`: it was cut off, so nothing passed."""
        if not harmless:
            self.counts.lost += 1
        if self.active:
            who = redacted(self.scanner, process)
            self._gaps.add(proxy_gap(kind, detail, process=who, remedy=remedy, harmless=harmless))

    def opaque(self, why: str, caller: Caller, host: str) -> None:
        """A body that could not be decoded; nothing when `why` is empty."""
        if why:
            place = self.scanner.redact(host)[0]
            self.gap(GapType.OPAQUE_BODY, f"a body sent to {place} could not be read: {why}", process=caller.process)

    def failed(self, hook: str, error: Exception) -> None:
        """A hook broke: what it was looking at passed unseen."""
        self.gap(GapType.SCAN_FAILED, f"{hook} failed with {type(error).__name__}")

    async def offload(self, size: int, work: Callable[[], T]) -> T:
        """Do `work`, which scans `size` bytes: here, or in a thread when it would take long."""
        if size <= INLINE:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        self._gaps.flush()
        self._pool.shutdown(wait=False, cancel_futures=True)
