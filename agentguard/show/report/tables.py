"""The tables of the HTML report: credentials, files read, sends, commands and environment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agentguard.model.event import Event
from agentguard.model.process import Attribution
from agentguard.show.issuers import issuer_of
from agentguard.show.looks import DISPOSITION, OUTCOME, SEVERITY
from agentguard.show.phrases import (
    DESTINATION,
    clock_time,
    match_name,
    match_names,
    place,
    plural,
    process_chain,
    process_name,
)
from agentguard.show.report.credentials import Credential
from agentguard.show.report.data import ReportData
from agentguard.show.report.groups import Group, grouped
from agentguard.show.report.markup import Child, Html, join, tag

MOST_ROWS = 300
"""Rows of one table; more are counted below it."""

Column = tuple[str, Callable[[Group], Child], str]
"""Heading, cell, class of the cell."""


def credentials_table(data: ReportData) -> Html:
    rows = [_credential_row(data, one) for one in data.credentials[:MOST_ROWS]]
    head = ("Credential", "Shown as", "Comes from", "Read", "Went to", "Worst")
    return table("Credentials that were touched", head, rows, len(data.credentials) - len(rows))


def _credential_row(data: ReportData, one: Credential) -> Html:
    kind = issuer_of(data.issuers, one.type)
    look = OUTCOME[one.outcome]
    public = tag("span", " public by design", class_="soft") if one.public else None
    worst = tag("span", f"{look.glyph} {look.word.lower()}", class_=f"tag {one.outcome.value}")
    name = join([tag("b", one.name or kind.name), tag("br"), tag("span", kind.name, class_="soft"), public])
    return row(
        (name, "wide"),
        (
            join(
                [
                    tag("code", one.preview or "•••"),
                    tag("br"),
                    tag("span", one.fingerprint[:12], class_="mono soft whole"),
                ]
            ),
            "",
        ),
        (_lines(one.sources[:4], len(one.sources) - 4), "wide"),
        (f"{one.reads} ×" if one.reads else "no", ""),
        (_lines(one.hosts[:5], len(one.hosts) - 5) if one.hosts else "nowhere", ""),
        (worst, ""),
    )


def reads_table(data: ReportData) -> Html:
    return _events_table(
        data.reads,
        "Files with credentials that were opened",
        (
            ("When", lambda group: _when(group, data), "when"),
            ("File", lambda group: _file(group.first), "wide"),
            ("By", _who, "wide"),
            ("Verdict", _verdict, "wide"),
        ),
    )


def sends_table(data: ReportData) -> Html:
    return _events_table(
        data.sends,
        "Requests that carried a credential",
        (
            ("When", lambda group: _when(group, data), "when"),
            ("To", lambda group: _destination(group.first), "wide"),
            ("What", lambda group: _what(group.first), "wide"),
            ("By", _who, "wide"),
            ("Verdict", _verdict, "wide"),
        ),
    )


def commands_table(data: ReportData) -> Html:
    return _events_table(
        data.commands,
        "Commands that fetch or carry credentials, and credentials in the environment",
        (
            ("When", lambda group: _when(group, data), "when"),
            ("What", lambda group: tag("code", group.first.finding.subject), "wide"),
            ("Credentials", lambda group: _names(group.first), ""),
            ("By", _who, "wide"),
            ("Verdict", _verdict, "wide"),
        ),
    )


def _events_table(events: Sequence[Event], caption: str, columns: Sequence[Column]) -> Html:
    groups = grouped(events)
    rows = [row(*((cell(group), class_) for _, cell, class_ in columns)) for group in groups[:MOST_ROWS]]
    return table(caption, [name for name, _, _ in columns], rows, len(groups) - len(rows))


def table(caption: str, head: Sequence[str], rows: Sequence[Html], more: int = 0) -> Html:
    """A table in a box that scrolls sideways on a narrow screen; `more` rows were left out."""
    top = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in head)))
    body = tag("table", top, tag("tbody", *rows), aria_label=caption)
    note = (
        tag("p", f"And {plural(more, 'more row')}; `report --format json` has all.", class_="soft")
        if more > 0
        else None
    )
    return join([tag("div", body, class_="scroll", tabindex=0, role="region", aria_label=caption), note])


def row(*cells: tuple[Child, str]) -> Html:
    """Each cell with its class."""
    return tag("tr", *(tag("td", cell, class_=class_ or None) for cell, class_ in cells))


def _lines(parts: Sequence[str], more: int = 0) -> Html:
    out: list[Child] = []
    for part in parts:
        out += [tag("span", part), tag("br")]
    return join([*out[:-1], tag("span", f" and {more} more", class_="soft") if more > 0 else None])


def _when(group: Group, data: ReportData) -> Html:
    first = clock_time(group.first.finding.time_ns, data.zone)
    if len(group) == 1:
        return tag("span", first)
    last = clock_time(group.last.finding.time_ns, data.zone)
    return join([tag("span", first), tag("br"), tag("span", f"{len(group)} times, last {last}", class_="soft")])


def _file(event: Event) -> Html:
    finding = event.finding
    path = tag("code", finding.path or finding.subject)
    names = _names(event)
    return join([path, tag("br"), names]) if names else path


def _destination(event: Event) -> Html:
    finding, destination = event.finding, event.verdict.destination
    kind = tag("span", DESTINATION[destination], class_="soft") if destination else None
    return join([tag("code", finding.subject), tag("br"), kind])


def _what(event: Event) -> Html:
    return _lines(
        [f"{match_name(match)} in {place(match)}" for match in event.finding.matches[:6]],
        len(event.finding.matches) - 6,
    )


def _names(event: Event) -> Html | None:
    names = match_names(event.finding.matches, 8)
    return tag("span", names, class_="soft") if names else None


def _who(group: Group) -> Html:
    finding = group.first.finding
    sure = finding.attribution
    doubt = tag("span", f" ({sure.value})", class_="soft") if sure is not Attribution.EXACT else None
    chain = process_chain(finding.process).partition(" ← ")[2]
    below = [tag("br"), tag("span", f"← {chain}", class_="chain")] if chain else []
    return join([tag("b", process_name(finding.process)), doubt, *below])


def _verdict(group: Group) -> Html:
    verdict = group.first.verdict
    severity, became = SEVERITY[verdict.severity], DISPOSITION[verdict.disposition]
    word = f"{severity.glyph} {severity.word}, {became.word}"
    return join(
        [
            tag("span", word, class_=f"tag {verdict.severity.value}"),
            tag("br"),
            tag("span", verdict.reason),
            tag("br"),
            tag("span", verdict.rule, class_="mono soft"),
        ]
    )
