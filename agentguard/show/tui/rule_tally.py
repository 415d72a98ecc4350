"""How often each rule decided, in the session and overall: counted in slices, and then only what is new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from agentguard.record.reader import Reader

SLICE = 20_000
"""Events looked into in one go: a tenth of a second."""


class RuleTally:
    """Of one database."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._of_session: Counter[tuple[str, str]] = Counter()
        self._overall: Counter[str] = Counter()
        self._last: dict[tuple[str, str], int] = {}
        self._counted = 0

    def count(self, reader: Reader, cancelled: Callable[[], bool], progress: Callable[[float], object]) -> None:
        """Count what has come since the last time. `progress` gets the share that is done, 0 to 1."""
        last = reader.last_id()
        if last < self._counted:  # another database stands there now
            self._forget()
        began = self._counted
        while self._counted < last and not cancelled():
            until = min(self._counted + SLICE, last)
            for key, (count, last_row) in reader.rule_counts(self._counted, until).items():
                self._of_session[key] += count
                self._overall[key[1]] += count
                self._last[key] = last_row
            self._counted = until
            progress((until - began) / (last - began))

    def in_session(self, session: str, rule: str) -> int:
        return self._of_session[session, rule]

    def overall(self, rule: str) -> int:
        return self._overall[rule]

    def last_in(self, session: str, rule: str) -> int | None:
        """Row id of the last event of the session that it decided."""
        return self._last.get((session, rule))

    def rules(self) -> set[str]:
        """All that ever decided."""
        return set(self._overall)
