"""The report as one HTML file that needs nothing else: no script, no network, light or dark, on screen or paper."""

from __future__ import annotations

from agentguard.show.looks import OUTCOME
from agentguard.show.phrases import day_and_time, plural
from agentguard.show.report import sections
from agentguard.show.report.data import ReportData
from agentguard.show.report.kept import TITLE, kept
from agentguard.show.report.markup import Child, Html, join, tag
from agentguard.show.report.picture import legend, picture
from agentguard.show.report.style import STYLE
from agentguard.show.report.tables import commands_table, credentials_table, reads_table, sends_table

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def render_html(data: ReportData) -> str:
    """The whole page. Nothing in it is taken from the session without being escaped."""
    session = data.session
    look = OUTCOME[session.outcome]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"{look.glyph} {look.word}: {session.agent_name} under AgentGuard"),
        tag("style", Html(STYLE)),
    )
    return "<!doctype html>\n" + tag("html", head, tag("body", tag("main", _main(data))), lang="en") + "\n"


def _main(data: ReportData) -> Html:
    parts: list[Child] = [
        sections.heading(data),
        sections.outcome(data),
        sections.numbers(data),
        _section("What to do now", sections.steps(data)),
        _section("Where credentials went", sections.flows(data)),
        _section("The session in time", tag("div", picture(data), legend(), class_="card")),
    ]
    if data.omitted:
        parts.append(_omitted(data))
    if data.credentials:
        parts.append(_section("Credentials", credentials_table(data)))
    for title, events, table in (
        ("Sends and destinations", data.sends, sends_table),
        ("Files read", data.reads, reads_table),
        ("Commands and environment", data.commands, commands_table),
    ):
        parts.append(_section(title, table(data) if events else tag("p", "None was seen.", class_="soft")))
    parts += [
        _section(TITLE, kept(data)),
        _section("What was watched", sections.coverage(data)),
        _section("The seal", sections.seal(data)),
        _footer(data),
    ]
    return join(parts, Html("\n"))


def _section(title: str, body: Html) -> Html:
    return tag("section", tag("h2", title), body)


def _omitted(data: ReportData) -> Html:
    words = (
        f"The session has {plural(data.total, 'event')}. The tables are made of the {len(data.events):,} most telling "
        f"ones; the other {data.omitted:,} are in the counts above and the picture, and all of them in "
    )
    return tag("p", words, tag("code", "agentguard report --format json"), ".", class_="soft")


def _footer(data: ReportData) -> Html:
    return tag(
        "footer",
        tag(
            "p",
            f"Written {day_and_time(data.generated_ns, data.zone)} by AgentGuard. No credential's value is in this "
            "file: a preview shows a few characters at most, and a fingerprint is a keyed hash that tells that two "
            "values are the same. Requests that carried no credential are not recorded.",
        ),
    )
