"""What a session is, in a few lines: who ran what, where, how long, how it ended, what keeps its record."""

from __future__ import annotations

from datetime import tzinfo

from textual.content import Content

from agentguard.model.session import SensorState, Session
from agentguard.show.tui.page import Desk
from agentguard.show.tui.words import (
    MUTED,
    between,
    clean,
    duration,
    home_short,
    plural,
    sensor_look,
    time_of_day,
)

_LABEL = 9
_TWO_COLUMNS = 72
"""From this width on the facts stand in two columns."""
_COUNTED = (
    ("reads", "read"),
    ("sends", "send"),
    ("flows", "flow"),
    ("secrets", "secret"),
)


def facts(session: Session, desk: Desk, width: int, *, guarded: bool) -> Content:
    """Label and value, two a line where it is wide. What matters most comes first: a low window cuts the rest."""
    pairs = [
        ("command", Content.styled(clean(" ".join(session.command)), "bold")),
        ("agent", Content(f"{clean(session.agent_name or session.agent)}, pid {session.root_pid}")),
        ("folder", Content(home_short(session.cwd, desk.user_home))),
        ("time", _time(session, desk.clock(), desk.zone)),
        ("counted", _counted(session)),
        ("sensors", _sensors(session)),
        ("record", Content(clean(session.uid))),
        ("ended", _ended(session, guarded=guarded)),
        ("seal", _seal(session)),
    ]
    if width < _TWO_COLUMNS:
        return Content("\n").join(_fact(*pair).truncate(width, ellipsis=True) for pair in pairs)
    half, lines = width // 2, []
    for left, right in zip(pairs[:-1:2], pairs[1::2], strict=True):
        line = _fact(*left).truncate(half - 2, ellipsis=True, pad=True)
        lines.append(Content.assemble(line, "  ", _fact(*right).truncate(width - half, ellipsis=True)))
    return Content("\n").join([*lines, _fact(*pairs[-1]).truncate(width, ellipsis=True)])


def _fact(label: str, value: Content) -> Content:
    return Content.assemble((label.ljust(_LABEL), MUTED), value)


def _time(session: Session, now_ns: int, zone: tzinfo | None) -> Content:
    if session.end_ns is None:
        since = time_of_day(session.start_ns, zone)
        return Content(f"since {since}, {duration(now_ns - session.start_ns)}")
    return Content(f"{between(session.start_ns, session.end_ns, zone)}, {duration(session.end_ns - session.start_ns)}")


def _ended(session: Session, *, guarded: bool) -> Content:
    if session.end_ns is None:
        if not guarded:
            return Content.styled("✕ not yet, and its guard died", "bold $text-error")
        return Content("children of it still run" if session.in_background else "it runs")
    status = "" if session.exit_status is None else f", status {session.exit_status}"
    return Content(f"{clean(session.end_reason) or 'ended'}{status}")


def _counted(session: Session) -> Content:
    return Content(" · ".join(plural(session.counts[name], noun) for name, noun in _COUNTED if name in session.counts))


def _sensors(session: Session) -> Content:
    """How many of those that could start were proved, and the first that is not well."""
    there = [one for one in session.coverage if one.state is not SensorState.UNAVAILABLE]
    proved = sum(1 for one in there if one.proved)
    text = Content(f"{proved} of {len(there)} proved")
    looks = [(one, sensor_look(one)) for one in there]
    bad = next(((one, look) for one, look in looks if look.word not in ("running", "stopped")), None)
    return (
        Content.assemble(text, (f"  {bad[1].glyph} {clean(bad[0].sensor)} {bad[1].word}", bad[1].style))
        if bad
        else text
    )


def _seal(session: Session) -> Content:
    if not session.seal:
        return Content.styled("none yet: it is sealed when it ends", MUTED)
    return Content.assemble(clean(session.seal[:16]), ("…  agentguard verify proves it", MUTED))
