"""Calls a person back to a dashboard that is out of sight: when something new needs one, and never for the rest."""

from __future__ import annotations

from collections.abc import Mapping

from agentguard.model.session import Session
from agentguard.model.verdict import Outcome
from agentguard.show.looks import OUTCOME
from agentguard.show.notify.channels.terminal import sequence
from agentguard.show.notify.gather import TokenBucket
from agentguard.show.tui.messages import Snapshot

EVERY_SECONDS = 30.0
"""Between two calls: a flood needs a person once."""
_GRAVE = frozenset({Outcome.LEAKED, Outcome.EXPOSED})


class Attention:
    """Compares each snapshot with the one before. What was there when the dashboard was opened is no news."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """`environ`: of the terminal that the dashboard is in."""
        self._environ = environ
        self._bucket = TokenBucket(1, EVERY_SECONDS)
        self._before: dict[str, Session] | None = None
        self._died: frozenset[str] = frozenset()

    def call(self, snapshot: Snapshot, *, in_sight: bool, now: float) -> str:
        """What to write to the terminal; "" when there is nothing new, or a person is looking at it already.

        Args:
            in_sight: whether the terminal has the focus.
            now: monotonic seconds.
        """
        news = self._news(snapshot)
        if not news or in_sight or not self._bucket.take(now):
            return ""
        return sequence(news, self._environ)

    def _news(self, snapshot: Snapshot) -> str:
        before, self._before = self._before, {session.uid: session for session in snapshot.sessions}
        died, self._died = self._died, snapshot.died
        if before is None:
            return ""
        for session in snapshot.sessions:
            what = _worse(before.get(session.uid), session)
            if what or session.uid in snapshot.died - died:
                return f"{session.agent_name}: {what or 'nobody guards it any more'}"
        return ""


def _worse(before: Session | None, now: Session) -> str:
    """What a session has come to since, in words; "" when that can wait."""
    old = before.outcome if before else Outcome.CLEAN
    if now.outcome in _GRAVE and now.outcome.rank > old.rank:
        return f"{OUTCOME[now.outcome].word}. {now.outcome_reason}"
    blocked = now.counts.get("blocked", 0) - (before.counts.get("blocked", 0) if before else 0)
    return "a request was blocked" if blocked > 0 else ""
