"""The report as one HTML file that needs nothing else: no script, no network, light or dark, on screen or paper."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from agentguard.show.looks import OUTCOME
from agentguard.show.phrases import day_and_time, plural
from agentguard.show.report import sections, trust
from agentguard.show.report.data import ReportData
from agentguard.show.report.flows import flows
from agentguard.show.report.kept import TITLE, kept
from agentguard.show.report.markup import Html, join, tag
from agentguard.show.report.picture import pictures
from agentguard.show.report.style import STYLE
from agentguard.show.report.tables import brief, commands_table, credentials_table, destinations_table, files_table
from agentguard.show.report.tree import tree
from agentguard.show.report.watched import coverage

POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'"
)
"""Nothing is loaded, nothing runs, and the one style sheet is the one written here."""


@dataclass(frozen=True, slots=True)
class _Section:
    id: str
    title: str
    body: Html


def render_html(data: ReportData) -> str:
    """The whole page. Nothing in it is taken from the session without being escaped."""
    look = OUTCOME[data.session.outcome]
    return page(
        f"{look.glyph} {look.word}: {brief(data.session.agent_name)} under AgentGuard",
        tag("a", "Skip to the report", href="#outcome", class_="skip"),
        sections.top(data),
        tag("main", _main(data), class_="frame"),
        _footer(data),
    )


def page(title: str, *body: Html) -> str:
    """What every page of ours begins with, around `body`."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", Html(STYLE)),
    )
    return "<!doctype html>\n" + tag("html", head, tag("body", *body), lang="en") + "\n"


def _main(data: ReportData) -> Html:
    parts = list(_sections(data))
    return join(
        [
            sections.outcome(data),
            sections.facts(data),
            sections.numbers(data),
            _contents(parts),
            *(_section(part) for part in parts),
        ],
        Html("\n"),
    )


def _sections(data: ReportData) -> Iterator[_Section]:
    """What happened first, then the evidence, then how far it can be trusted."""
    yield _Section("next", "What to do now", sections.steps(data))
    yield _Section("flows", "Where credentials went", flows(data))
    yield _Section("time", "The session in time", pictures(data))
    yield _Section("processes", "Who touched what", join([_omitted(data), tree(data)]))
    if data.credentials:
        yield _Section("credentials", "Credentials", credentials_table(data))
    for id_, title, events, make in (
        ("destinations", "Destinations", data.sends, destinations_table),
        ("files", "Files", data.reads, files_table),
        ("commands", "Commands and environment", data.commands, commands_table),
    ):
        yield _Section(id_, title, make(data) if events else tag("p", "None was seen.", class_="soft"))
    yield _Section("kept", TITLE, kept(data))
    yield _Section("coverage", "What was watched", coverage(data))
    yield _Section("policy", "The policy that judged", trust.policy(data))
    yield _Section("seal", "The seal", trust.seal(data))


def _contents(parts: list[_Section]) -> Html:
    entries = (tag("li", tag("a", part.title, href=f"#{part.id}")) for part in parts)
    return tag("nav", tag("ul", *entries), class_="contents", aria_label="Sections of this report")


def _section(part: _Section) -> Html:
    title = f"{part.id}-title"
    return tag("section", tag("h2", part.title, id=title), part.body, id=part.id, aria_labelledby=title)


def _omitted(data: ReportData) -> Html | None:
    if not data.omitted:
        return None
    words = (
        f"The session has {plural(data.total, 'event')}. What is told by itself is the {len(data.events):,} most "
        f"telling ones; the other {data.omitted:,} are in the counts and the picture above, and all of them in "
    )
    typed = tag("code", f"agentguard report --session {data.session.uid} --format json")
    return tag("p", words, typed, ".", class_="soft")


def _footer(data: ReportData) -> Html:
    words = (
        f"Written {day_and_time(data.generated_ns, data.zone)} by AgentGuard. No credential's value is in this file: a "
        "preview shows a few characters at most, and a fingerprint is a keyed hash that tells that two values are the "
        "same."
    )
    return tag("footer", tag("p", words), class_="frame")
