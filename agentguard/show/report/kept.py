"""How credentials are kept where the session ran: what the newest `agentguard check` of that folder found."""

from __future__ import annotations

from agentguard.model.posture import Posture, Weakness
from agentguard.model.verdict import Severity
from agentguard.show.looks import SEVERITY
from agentguard.show.phrases import day_and_time, plural
from agentguard.show.report.data import ReportData
from agentguard.show.report.markup import Child, Html, join, link, prose, tag
from agentguard.show.report.tables import Cell, badge, brief, table

MOST_KEPT = 8
TITLE = "How credentials are kept here"
NOT_CHECKED = "Nobody has looked yet: run `agentguard check` in the folder of this session."


def kept(data: ReportData) -> Html:
    """The score, and what to put right first."""
    posture = data.posture
    if posture is None:
        return tag("p", prose(NOT_CHECKED), class_="soft")
    parts: list[Child] = [tag("p", tag("b", score_words(posture)), " ", tag("span", looked_words(data), class_="soft"))]
    if posture.weaknesses:
        rows = [_row(one) for one in posture.weaknesses[:MOST_KEPT]]
        head = ("What", "Severity", "Where", "First step")
        parts.append(table("What to put right first.", head, rows))
    left = len(posture.weaknesses) - MOST_KEPT
    if left > 0:
        parts.append(tag("p", prose(f"And {left:,} more: `agentguard check --full` has them all."), class_="soft"))
    return join(parts)


def score_words(posture: Posture) -> str:
    """`Score 61 of 100: 1 critical, 3 high.`"""
    counts = [f"{posture.count(one)} {one.value}" for one in reversed(Severity) if posture.count(one)]
    return f"Score {posture.score} of 100: {', '.join(counts) or 'nothing to put right'}."


def looked_words(data: ReportData) -> str:
    """When that was, and how wide the look."""
    posture = data.posture
    assert posture is not None
    commits = f" and {plural(posture.commits, 'commit')}" if posture.commits else ""
    unread = f"; {plural(len(posture.unread), 'part')} could not be looked at" if posture.unread else ""
    when = day_and_time(posture.time_ns, data.zone)
    return f"As of {when}, in {plural(posture.files, 'file')}{commits} of {posture.root}{unread}."


def _row(one: Weakness) -> list[Cell]:
    look = SEVERITY[one.severity]
    places = list(dict.fromkeys(f"{place.path}:{place.line}" if place.line else place.path for place in one.places))
    more = f" and {len(places) - 2} more" if len(places) > 2 else ""
    where = join([tag("code", brief(path)) for path in places[:2]], " ")
    what = [tag("span", one.title, class_="name"), tag("br"), tag("span", prose(one.why), class_="soft small")]
    return [
        (join(what), "wide"),
        (badge(look.glyph, look.word, one.severity.value), ""),
        (join([where, tag("span", more, class_="soft")]), "wide"),
        (_step(one), "wide"),
    ]


def _step(one: Weakness) -> Html:
    if not one.fixes:
        return join([])
    fix = one.fixes[0]
    command = [tag("br"), tag("code", fix.command)] if fix.command else []
    page = [" ", link(fix.page, "Open the issuer's page")] if fix.page else []
    return join([prose(f"{fix.do}."), *command, *page])
