"""Notices accesses that are unusual for an agent: told by what it did with the same credential in earlier sessions.

A prompt injection makes an agent do what it never did. An agent that worked here for weeks without a key, and now reads
it, is worth a look even where the file is one that programs read every day. Nothing is unusual in the first sessions:
there is nothing to compare with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from agentguard.model.access import Access, AccessHistory, AgentHistory
from agentguard.model.finding import Activity, Finding
from agentguard.model.secret import SecretMatch

SESSIONS_TO_COMPARE = 3
"""Earlier sessions without which nothing is unusual: of the agent for a new reader, with the credential for a rise."""
RISE = 5
"""Times the most of any session before."""
RISE_FROM = 20
"""Fewer accesses in a session are no rise: a build that runs twice doubles them."""

_TAKING = frozenset({Activity.READ, Activity.INHERIT, Activity.EXEC})
_NOBODY = AgentHistory()

Histories = Mapping[str, AccessHistory]
"""By fingerprint; a credential that was not known before the session is not in it."""


class Habits:
    """Of one session. For one thread: the pipeline's.

    Args:
        load: what was known before the session; asked once, at the first credential, as the agent waits for the start.
    """

    def __init__(self, load: Callable[[], Histories]) -> None:
        self._load = load
        self._histories: Histories | None = None
        self._taken: Counter[tuple[str, str]] = Counter()

    def compare(self, finding: Finding) -> Finding:
        """The finding with each of its matches told usual or not."""
        if not finding.matches:
            return finding
        if self._histories is None:
            self._histories = self._load()
        if finding.activity in _TAKING:
            self._taken.update((finding.agent, name) for name in {match.fingerprint for match in finding.matches})
        accesses = [self._access(finding, match) for match in finding.matches]
        if all(access is Access.USUAL for access in accesses):
            return finding
        matches = zip(finding.matches, accesses, strict=True)
        return replace(finding, matches=tuple(replace(match, access=access) for match, access in matches))

    def _access(self, finding: Finding, match: SecretMatch) -> Access:
        history = self._histories.get(match.fingerprint) if self._histories else None
        if history is None or match.public:
            return Access.USUAL
        if history.rotated_ns is not None and finding.time_ns > history.rotated_ns:
            return Access.ROTATED
        if finding.activity not in _TAKING or finding.agent == "unknown":
            return Access.USUAL
        before = history.agents.get(finding.agent, _NOBODY)
        if not before.taken_in:
            return Access.NEW_READER if before.sessions >= SESSIONS_TO_COMPARE else Access.USUAL
        taken = self._taken[finding.agent, match.fingerprint]
        risen = taken > max(RISE_FROM, RISE * before.most) and before.taken_in >= SESSIONS_TO_COMPARE
        return Access.SUDDEN_RISE if risen else Access.USUAL
