"""The beginning of the HTML report: whose session it was, what came of it, what to do."""

from __future__ import annotations

import shlex

from agentguard.model.session import DEMO_AGENT
from agentguard.show.looks import OUTCOME
from agentguard.show.phrases import clock_time, day_and_time
from agentguard.show.report.advice import Step, headline, next_steps
from agentguard.show.report.data import ReportData
from agentguard.show.report.icons import shield
from agentguard.show.report.markup import Child, Html, join, link, prose, tag
from agentguard.show.report.tables import brief
from agentguard.show.session_lines import state

_LONGEST_HEADLINE = 180
_DEMO = (
    "This was the demo: its credentials are made up, and nothing left this machine. With real ones, this is what would "
    "be told, and what would have to be done."
)


def top(data: ReportData) -> Html:
    """Who says it, and when it was."""
    brand = tag("p", shield(), "AgentGuard ", tag("span", "session report"), class_="brand")
    return tag("header", brand, tag("p", day_and_time(data.session.start_ns, data.zone)), class_="frame top")


def outcome(data: ReportData) -> Html:
    """The one sentence, as the page's title."""
    look = OUTCOME[data.session.outcome]
    word = tag("span", tag("span", look.glyph, aria_hidden="true"), f" {look.word}", class_="word")
    title = tag("h1", word, " ", brief(headline(data), _LONGEST_HEADLINE), id="outcome")
    return tag(
        "section",
        title,
        tag("p", look.meaning, class_="meaning"),
        tag("p", _DEMO, class_="meaning") if data.session.agent == DEMO_AGENT else None,
        class_=f"outcome {data.session.outcome.value}",
        aria_labelledby="outcome",
    )


def facts(data: ReportData) -> Html:
    """Whose session."""
    session = data.session
    entries: list[tuple[str, Child]] = [
        ("Agent", tag("b", brief(session.agent_name))),
        ("State", _state(data)),
        ("Folder", tag("code", brief(session.cwd))),
        ("Command", tag("code", brief(shlex.join(session.command)))),
        ("Session", tag("span", session.uid, class_="mono")),
    ]
    rows = [tag("div", tag("dt", name), tag("dd", value)) for name, value in entries]
    return tag("dl", *rows, class_="facts")


def _state(data: ReportData) -> str:
    session = data.session
    if session.end_ns is None:
        return f"{state(session)}; this is how it stood at {clock_time(data.generated_ns, data.zone)}"
    status = "" if session.exit_status is None else f", exit status {session.exit_status}"
    return state(session) + status


def numbers(data: ReportData) -> Html:
    counts = data.session.counts
    entries = (
        ("credentials touched", "secrets"),
        ("reads of secret files", "reads"),
        ("sends with a credential", "sends"),
        ("flows: read, then sent", "flows"),
        ("requests blocked", "blocked"),
        ("gaps that count", "gaps_counted"),
    )
    parts = [
        tag("div", tag("dt", words), tag("dd", f"{count:,}"), class_=None if count else "none")
        for words, name in entries
        for count in [counts.get(name, 0)]
    ]
    return tag("dl", *parts, class_="numbers")


def steps(data: ReportData) -> Html:
    return tag("ol", *(_step(step) for step in next_steps(data)), class_="steps")


def _step(step: Step) -> Html:
    page = join([" ", link(step.page, "Open the issuer's page")]) if step.page else None
    return tag(
        "li",
        tag("span", prose(brief(step.do)), class_="do"),
        tag("span", prose(brief(step.why, 400)), class_="soft"),
        page,
    )
