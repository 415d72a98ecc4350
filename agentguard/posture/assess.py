"""From evidence to posture: every check, in the order of what matters, and the score."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from agentguard.model.posture import Breadth, Check, Fix, GoodPractice, Place, Posture, Weakness
from agentguard.posture.checks import (
    ci_file,
    container_file,
    file_not_ignored,
    file_tracked,
    git_config,
    git_history,
    hard_coded,
    log,
    mcp,
    notebook,
    old_key,
    readable,
    shared_key,
    shell_history,
    transcript,
    user_wide,
)
from agentguard.posture.checks.good import practices
from agentguard.posture.evidence import Evidence
from agentguard.posture.look import Looked
from agentguard.posture.score import FORMULA, score_of

CHECKS: dict[Check, Callable[[Evidence], Iterator[Weakness]]] = {
    Check.FILE_TRACKED: file_tracked.check,
    Check.HARD_CODED: hard_coded.check,
    Check.CI_FILE: ci_file.check,
    Check.CONTAINER_FILE: container_file.check,
    Check.FILE_NOT_IGNORED: file_not_ignored.check,
    Check.MCP: mcp.check,
    Check.GIT_CONFIG: git_config.check,
    Check.GIT_HISTORY: git_history.check,
    Check.TRANSCRIPT: transcript.check,
    Check.SHARED: shared_key.check,
    Check.NOTEBOOK: notebook.check,
    Check.LOG: log.check,
    Check.SHELL_HISTORY: shell_history.check,
    Check.READABLE: readable.check,
    Check.USER_WIDE: user_wide.check,
    Check.OLD: old_key.check,
}
"""Of two weaknesses of one severity, that of the earlier check comes first."""


def assess(looked: Looked, breadth: Breadth, redact: Callable[[str], str]) -> Posture:
    """Judge what was seen.

    Args:
        redact: takes what looks like a credential out of a text: files and folders may be named by one.
    """
    evidence = looked.evidence
    order = list(CHECKS)
    found = [_redacted(one, redact) for check in CHECKS.values() for one in check(evidence)]
    found.sort(key=lambda one: (-one.severity.rank, order.index(one.check), one.title))
    return Posture(
        root=redact(str(evidence.root)),
        time_ns=evidence.now_ns,
        breadth=breadth,
        weaknesses=tuple(found),
        good=tuple(_redacted_good(one, redact) for one in practices(evidence)),
        score=score_of(found),
        formula=FORMULA,
        files=looked.files,
        commits=looked.commits,
        credentials=len(
            {one.match.fingerprint for one in evidence.kept} | {one.match.fingerprint for one in evidence.past}
        ),
        unread=tuple((redact(one.path), one.reason) for one in looked.unread),
        notes=looked.notes,
    )


def _redacted(one: Weakness, redact: Callable[[str], str]) -> Weakness:
    return replace(
        one,
        title=redact(one.title),
        fixes=tuple(Fix(do=redact(fix.do), command=redact(fix.command), page=fix.page) for fix in one.fixes),
        places=_redacted_places(one.places, redact),
        name=redact(one.name),
    )


def _redacted_good(one: GoodPractice, redact: Callable[[str], str]) -> GoodPractice:
    return replace(one, places=_redacted_places(one.places, redact))


def _redacted_places(places: tuple[Place, ...], redact: Callable[[str], str]) -> tuple[Place, ...]:
    return tuple(replace(place, path=redact(place.path)) for place in places)
