"""The dashboard's words and glyphs, and the one function that makes foreign text harmless.

A severity, an outcome and a sensor's state are each a word and a glyph: a colour only repeats them. A style
here is a theme token of Textual, so every theme works.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import PurePosixPath

from agentguard.model.event import Event
from agentguard.model.finding import Activity, Kind
from agentguard.model.session import Coverage, SensorState, Session
from agentguard.model.verdict import Destination, Disposition, Outcome, Severity
from agentguard.record.reader import Mark

MUTED = "$foreground 80%"
FAINT = "$foreground 30%"
LONGEST_TEXT = 2000
"""Characters of a subject or a command line that are ever looked at."""
_INVISIBLE = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters by their category, blank by their look."""
MAX_COMBINING = 2
"""Combining marks kept on one character: enough for any script, too few to paint over other lines."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a word is shown."""

    glyph: str
    word: str
    style: str


SEVERITY = {
    Severity.INFO: Look("·", "INFO", MUTED),
    Severity.LOW: Look("○", "LOW", "$text"),
    Severity.MEDIUM: Look("◆", "MED", "$text-warning"),
    Severity.HIGH: Look("▲", "HIGH", "$text-error"),
    Severity.CRITICAL: Look("■", "CRIT", "bold $text-error"),
}

MARK = {Mark.SEEN: Look("✓", "seen", MUTED), Mark.EXPECTED: Look("=", "expected", MUTED)}
"""What a person may say of an event."""

OUTCOME = {
    Outcome.CLEAN: Look("✓", "CLEAN", "bold $text-success"),
    Outcome.UNKNOWN: Look("?", "UNKNOWN", "bold $text-accent"),
    Outcome.EXPOSED: Look("◆", "EXPOSED", "bold $text-warning"),
    Outcome.LEAKED: Look("▲", "LEAKED", "bold $text-error"),
}

SENSOR = {
    SensorState.RUNNING: Look("●", "running", "$text-success"),
    SensorState.STOPPED: Look("○", "stopped", MUTED),
    SensorState.UNAVAILABLE: Look("✕", "unavailable", "$text-warning"),
    SensorState.FAILED: Look("✕", "failed", "$text-error"),
}

_DESTINATION_WORD = {
    Destination.ISSUER: "issuer",
    Destination.MODEL: "model",
    Destination.LOOPBACK: "local",
    Destination.PRIVATE: "private",
}
_OUTCOME_WORD = {Outcome.LEAKED: "leak", Outcome.EXPOSED: "model", Outcome.UNKNOWN: "unseen"}


def clean(text: str) -> str:
    """`text` on one line, with nothing in it that a terminal or an eye could take for something else.

    Control characters, bidirectional controls, zero-width and unassigned characters, and undecodable bytes
    become `�`; a tab or a line break becomes a space.
    """
    text = text[:LONGEST_TEXT]
    if text.isascii() and text.isprintable():
        return text
    out: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text):
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if char in "\t\n\r\u2028\u2029" or category == "Zs":
            out.append(" ")
        elif category[0] == "C" or char in _INVISIBLE:
            out.append("\ufffd")
        elif "\ufe00" <= char <= "\ufe0f":
            continue  # a variation selector changes a width that was already counted
        elif marks <= MAX_COMBINING:
            out.append(char)
    return "".join(out)


def what(event: Event) -> str:
    """The verdict in one short word: `leak`, `model`, `issuer`, `blocked`, `alert`, `logged`, ..."""
    verdict = event.verdict
    if verdict.disposition is Disposition.BLOCKED:
        return "blocked"
    if verdict.outcome in _OUTCOME_WORD:
        return _OUTCOME_WORD[verdict.outcome]
    if event.finding.kind is Kind.GAP:
        return "covered"
    if verdict.destination in _DESTINATION_WORD:
        return _DESTINATION_WORD[verdict.destination]
    return "expected" if verdict.disposition is Disposition.IGNORED else verdict.disposition.value


def activity_word(activity: Activity) -> str:
    """At most five letters."""
    return {Activity.INHERIT: "env", Activity.CONNECT: "conn", Activity.REPEAT: "again"}.get(activity, activity.value)


def subject_of(event: Event) -> str:
    """One line. A file's name is followed by how many secrets were read from it, as the finding says it."""
    return clean(event.finding.subject)


def process_of(event: Event) -> str:
    """`curl 48333`, or what is known instead."""
    process = event.finding.process
    if process is None:
        return "—"
    return f"{clean(process.name) or '?'} {process.pid}"


def plural(count: int, noun: str) -> str:
    """`1 read`, `2 reads`, `12,345 reads`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def home_short(path: str, home: str) -> str:
    """`~/src/shop` for a path under `home`."""
    pure = PurePosixPath(path)
    if home and pure.is_relative_to(home):
        rest = pure.relative_to(home)
        return "~" if str(rest) == "." else clean(f"~/{rest}")
    return clean(path)


def time_of_day(time_ns: int, zone: tzinfo | None, *, millis: bool = False) -> str:
    """Local wall clock, `14:31:58` or `14:31:58.640`."""
    text = datetime.fromtimestamp(time_ns // 1_000_000_000, zone).strftime("%H:%M:%S")
    return f"{text}.{time_ns // 1_000_000 % 1000:03d}" if millis else text


def between(start_ns: int, end_ns: int, zone: tzinfo | None) -> str:
    """`14:01:37 – 14:32:07`, with the days when they differ: `Jan 30 23:50 – Jan 31 00:20`."""
    start, end = (datetime.fromtimestamp(moment // 1_000_000_000, zone) for moment in (start_ns, end_ns))
    form = "%H:%M:%S" if start.date() == end.date() else "%b %d %H:%M"
    return f"{start.strftime(form)} – {end.strftime(form)}"


def duration(ns: int) -> str:
    """`00:30`, `12:05`, `1:02:03`, `3d 04h`."""
    seconds = max(0, ns // 1_000_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours:02d}h"
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes:02d}:{seconds:02d}"


def span_word(ns: int) -> str:
    """A length of time as a person says it: `45 s`, `4.77 s`, `30 min`, `2 h 10 min`."""
    seconds = ns / 1e9
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def session_title(session: Session) -> str:
    """`claude-code 48213`."""
    return f"{clean(session.agent if session.agent != 'unknown' else session.agent_name)} {session.root_pid}"


def sensor_look(coverage: Coverage) -> Look:
    """A sensor that runs but never saw its own decoy, or lost events, is not shown as well."""
    look = SENSOR[coverage.state]
    if coverage.state is SensorState.RUNNING and coverage.drops:
        return Look("◆", "losing events", "$text-warning")
    if coverage.state is SensorState.RUNNING and not coverage.proved:
        return Look("◌", "not proved", "$text-warning")
    return look
