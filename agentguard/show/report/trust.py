"""Why the report may be believed: the rules that judged, and the seal of the record."""

from __future__ import annotations

from collections.abc import Sequence

from agentguard.model.event import Event
from agentguard.model.finding import Kind
from agentguard.show.looks import DISPOSITION, SEVERITY
from agentguard.show.phrases import plural
from agentguard.show.report.data import ReportData
from agentguard.show.report.markup import Html, join, tag
from agentguard.show.report.tables import MOST_ROWS, Cell, badge, brief, table


def policy(data: ReportData) -> Html:
    """Every rule that decided something, the gravest first."""
    by_rule: dict[str, list[Event]] = {}
    for event in data.events:
        if event.verdict.rule and event.finding.kind is not Kind.SESSION:
            by_rule.setdefault(event.verdict.rule, []).append(event)
    if not by_rule:
        return tag("p", "No rule had anything to decide.", class_="soft")
    rules = sorted(by_rule.values(), key=lambda events: -_gravest(events).verdict.severity.rank)
    files = list(dict.fromkeys(rule.rpartition(":")[0] for rule in by_rule))
    caption = f"The rules that decided, of {', '.join(map(brief, files[:4]))}."
    left = len(rules) - MOST_ROWS
    more = tag("p", f"And {plural(left, 'more rule')}.", class_="soft small") if left > 0 else None
    typed = tag("code", f"agentguard policy explain --event {_gravest(rules[0]).finding.uid}")
    how = tag("p", "Why one event was judged so, rule by rule: ", typed, class_="soft small")
    return join(
        [
            table(
                caption,
                ("Rule", "Said", "Verdict", "Events told of" if data.omitted else "Events"),
                [_row(one) for one in rules[:MOST_ROWS]],
                more,
            ),
            how,
        ]
    )


def _gravest(events: Sequence[Event]) -> Event:
    return max(events, key=lambda event: event.verdict.severity.rank)


def _row(events: Sequence[Event]) -> list[Cell]:
    verdict = _gravest(events).verdict
    severity = SEVERITY[verdict.severity]
    words = f"{severity.word}, {DISPOSITION[verdict.disposition].word}"
    name = brief(verdict.rule.rpartition(":")[2])
    return [
        (tag("span", name, class_="name"), "wide"),
        (brief(verdict.reason), "wide"),
        (badge(severity.glyph, words, verdict.severity.value), ""),
        (f"{len(events):,}", "number"),
    ]


def seal(data: ReportData) -> Html:
    session = data.session
    if not session.seal:
        return tag("p", "This session is not sealed yet: it runs, or its guard was stopped. Its events are chained.")
    return join(
        [
            tag("code", session.seal, class_="seal"),
            tag(
                "p",
                f"Each of the session's {plural(data.total, 'event')} is chained to the one before it with a key that "
                "stays in AgentGuard's home folder, and this seal closes the chain. On the machine that recorded it, ",
                tag("code", f"agentguard verify --session {session.uid}"),
                " names every event that was edited, removed or added since, and a seal that is not this one. A copy "
                "of the seal kept elsewhere proves to others that the record is the same as today.",
            ),
        ]
    )
