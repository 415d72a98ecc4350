"""A digest in words for a person, and as JSON for a program. Names, previews and fingerprints; never a value."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from agentguard.model.event import iso_time
from agentguard.model.verdict import Severity
from agentguard.show.document import head
from agentguard.show.notify.alarm import Alarm, Credential, Need
from agentguard.show.notify.gather import Digest, Group
from agentguard.show.phrases import listed, plural
from agentguard.show.text import safe, shortened

MOST_LINES = 6
"""Of the text; the JSON has more."""
MOST_GROUPS = 40
"""Of the JSON: it stays below what a pipe takes at once (64 KiB)."""
_TITLE = 90
"""Characters: a desktop shows one line."""
_LINE = 220


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One message, ready to go out by any channel. Its text is safe on one line, but not escaped for markup."""

    uid: str
    time_ns: int
    need: Need
    """The gravest in it."""
    title: str
    lines: tuple[str, ...]
    next: str
    """What to do or to type next."""
    body: dict[str, Any]
    """The JSON object, as `agentguard schema notification` describes it."""

    @property
    def text(self) -> str:
        """All but the title."""
        return "\n".join((*self.lines, self.next))

    @property
    def urgent(self) -> bool:
        """It should stay on the screen until someone has seen it."""
        return self.need in (Need.LEAKED, Need.CRITICAL)


def notification(digest: Digest, *, uid: str, time_ns: int, agent_name: str, look: str) -> Notification:
    """
    Args:
        agent_name: for a person, "Claude Code".
        look: the command that shows more.
    """
    agent = safe(agent_name)
    first = digest.groups[0]
    sentences = [shortened(_sentence(group, agent), _LINE) for group in digest.groups[:MOST_LINES]]
    rest = len(digest.groups) - len(sentences)
    if rest:
        sentences.append(f"And {rest} more.")
    if digest.uncounted:
        sentences.append(f"{plural(digest.uncounted, 'more alarm')} came too fast to be looked at.")
    title = title_of(first.alarm, len(digest.groups) - 1)
    advice = f"{_ADVICE[first.alarm.need]} Look: {look}"
    return Notification(
        uid=uid,
        time_ns=time_ns,
        need=first.alarm.need,
        title=title,
        lines=tuple(sentences),
        next=advice,
        body={
            **head("notification"),
            "uid": uid,
            "time": iso_time(time_ns),
            "session": first.alarm.session,
            "agent": first.alarm.agent,
            "agent_name": agent,
            "test": False,
            "need": first.alarm.need,
            "severity": first.alarm.severity,
            "title": title,
            "text": "\n".join(sentences),
            "next": advice,
            "alarms": [_alarm_json(group) for group in digest.groups[:MOST_GROUPS]],
            "more": max(0, len(digest.groups) - MOST_GROUPS),
            "lost": digest.uncounted,
        },
    )


def test_notification(*, uid: str, time_ns: int, look: str) -> Notification:
    """With all that a real one has, of nothing that has happened."""
    alarm = Alarm(
        need=Need.LEAKED,
        severity=Severity.CRITICAL,
        time_ns=time_ns,
        event="",
        session="",
        agent="unknown",
        subject="POST https://nobody.example/",
        destination="nobody.example",
        process="",
        reason="This is a test: nothing has happened",
        rule="agentguard:notify-test",
        credentials=(Credential("A_MADE_UP_KEY", "known-value", "", ""),),
        keys=frozenset(),
    )
    note = notification(Digest((Group(alarm),)), uid=uid, time_ns=time_ns, agent_name="", look=look)
    said = {"title": "A test of the notifications", "text": f"{alarm.reason}.", "next": f"Look: {look}"}
    return dataclasses.replace(
        note,
        title=said["title"],
        lines=(said["text"],),
        next=said["next"],
        body={**note.body, **said, "test": True},
    )


def title_of(alarm: Alarm, others: int = 0) -> str:
    """One line; `others`: so many more stand behind it."""
    more = f" (and {others} more)" if others else ""
    return shortened(_HEADS[alarm.need].format(names=_names(alarm), where=_where(alarm)), _TITLE - len(more)) + more


def _sentence(group: Group, agent: str) -> str:
    alarm = group.alarm
    by = f", by {alarm.process}" if alarm.process else ""
    if alarm.need in (Need.CRITICAL, Need.SENSOR):
        said = f"{alarm.reason}"
    else:
        said = f"{_DONE[alarm.need].format(agent=agent, names=_names(alarm), where=_where(alarm))}{by}."
    times = f" ({group.count:,} times)" if group.count > 1 else ""
    return said.rstrip(".") + times + "."


_HEADS = {
    Need.LEAKED: "{names} leaked to {where}",
    Need.CRITICAL: "Critical: {names} at {where}",
    Need.EXPOSED: "{names} exposed to {where}",
    Need.BLOCKED: "Blocked: {names} on the way to {where}",
    Need.SENSOR: "AgentGuard does not see everything any more",
}
_DONE = {
    Need.LEAKED: "{agent} sent {names} to {where}",
    Need.EXPOSED: "{agent} sent {names} to the model provider {where} in a prompt",
    Need.BLOCKED: "{agent} wanted to send {names} to {where}; nothing left",
}
_ADVICE = {
    Need.LEAKED: "Revoke it now.",
    Need.CRITICAL: "Look at it now.",
    Need.EXPOSED: "Rotate it soon.",
    Need.BLOCKED: "If it should be allowed, add a rule to the policy.",
    Need.SENSOR: "Stop the agent and start it again, or go on knowing it.",
}


def _names(alarm: Alarm) -> str:
    """`OPENAI_API_KEY, DATABASE_URL and 2 more`"""
    if not alarm.credentials:
        return alarm.subject if alarm.need is Need.CRITICAL else "a request"
    names = list(dict.fromkeys(one.name for one in alarm.credentials))
    more = len(names) - 3 + alarm.more
    return listed(names[:3] + ([f"{more} more"] if more > 0 else []))


def _where(alarm: Alarm) -> str:
    return alarm.destination or alarm.subject


def _alarm_json(group: Group) -> dict[str, Any]:
    alarm = group.alarm
    return {
        "need": alarm.need,
        "severity": alarm.severity,
        "time": iso_time(alarm.time_ns),
        "event": alarm.event,
        "count": group.count,
        "subject": alarm.subject,
        "destination": alarm.destination or None,
        "process": alarm.process or None,
        "rule": alarm.rule,
        "reason": alarm.reason,
        "credentials": [
            {"name": one.name, "type": one.type, "preview": one.preview, "fingerprint": one.fingerprint}
            for one in alarm.credentials
        ],
        "more_credentials": alarm.more,
    }
