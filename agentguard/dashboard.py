"""What the dashboard is given to do: the place that joins its keys with record, judge and report.

Everything is imported when it is first done: nobody waits for the judge before the first frame.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from datetime import tzinfo
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from agentguard.config import Home, open_home
from agentguard.errors import AgentGuardError
from agentguard.model.credential import KnownCredential
from agentguard.model.event import Event
from agentguard.record.reader import Mark, Reader
from agentguard.show.tui.actions import Actions, Undo

if TYPE_CHECKING:
    from agentguard.policy_in_view import PolicyInView
    from agentguard.show.keys_text import Page
    from agentguard.show.policy_view import Explained, PolicyView, ProposedRule


def dashboard_actions(home: Home, clock: Callable[[], int] = time.time_ns, zone: tzinfo | None = None) -> Actions:
    """For one home folder.

    Args:
        clock: now, ns since the epoch.
        zone: of the day a rule is dated with; None for the machine's own.
    """
    doing = _Doing(home, clock, zone)
    return Actions(
        mark_seen=doing.seen,
        mark_rotated=doing.rotated,
        propose=doing.propose,
        expect=doing.expect,
        policy=doing.policy_of,
        explain=doing.explain,
        keys=doing.keys,
        write_report=doing.report,
        open_file=_open_file,
        copy=_copy,
    )


class _Doing:
    def __init__(self, home: Home, clock: Callable[[], int], zone: tzinfo | None) -> None:
        self._home = home
        self._clock = clock
        self._zone = zone

    @cached_property
    def _policy(self) -> PolicyInView:
        from agentguard.policy_in_view import PolicyInView

        return PolicyInView(self._home, self._clock, self._zone)

    def policy_of(self, workspace: str) -> PolicyView:
        return self._policy.policy(workspace)

    def explain(self, event: Event) -> Explained:
        return self._policy.explain(event)

    def propose(self, event: Event) -> ProposedRule:
        return self._policy.propose(event)

    def keys(self, known: list[KnownCredential]) -> Page:
        from agentguard.keys_page import keys_page

        return keys_page(self._home, known, self._clock())

    def seen(self, event: Event, is_seen: bool) -> Undo:
        self._mark(event, Mark.SEEN if is_seen else None)
        return lambda: self._mark(event, None if is_seen else Mark.SEEN)

    def rotated(self, fingerprint: str, is_rotated: bool) -> Undo:
        from agentguard.record.at_rest import mark_rotated

        with contextlib.closing(Reader(self._home.database)) as reader:
            one = reader.credential(fingerprint)
        before = one.rotated_ns if one else None
        mark_rotated(self._home, fingerprint, self._clock() if is_rotated else None)
        return lambda: mark_rotated(self._home, fingerprint, before)

    def expect(self, event: Event, proposed: ProposedRule) -> Undo:
        open_home(self._home.root)
        self._policy.write(proposed)
        try:
            self._mark(event, Mark.EXPECTED, proposed.name)
        except AgentGuardError:
            self._policy.take_back(proposed)
            raise

        def undo() -> None:
            self._policy.take_back(proposed)
            self._mark(event, None)

        return undo

    def report(self, uid: str) -> Path:
        from agentguard.show.report.write import write_report

        with contextlib.closing(Reader(self._home.database)) as reader:
            session = reader.session(uid)
            if session is None:
                raise AgentGuardError("this session has been purged")
            try:
                return write_report(reader, session, self._home.reports)
            except OSError as error:
                raise AgentGuardError(f"cannot write {error.filename}: {error.strerror}") from None

    def _mark(self, event: Event, mark: Mark | None, rule: str = "") -> None:
        from agentguard.record.triage import triage

        triage(self._home, event.finding.uid, mark, self._clock(), rule)


def _open_file(path: Path) -> bool:
    from agentguard.desktop import open_file

    return open_file(path)


def _copy(text: str) -> bool:
    from agentguard.desktop import copy

    return copy(text)
