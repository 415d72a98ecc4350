"""The tables of the HTML report: credentials, files, destinations, commands and environment."""

from __future__ import annotations

from collections.abc import Sequence

from agentguard.model.event import Event
from agentguard.model.process import Attribution
from agentguard.show.credential_words import readings, sendings
from agentguard.show.issuers import issuer_of
from agentguard.show.looks import DISPOSITION, OUTCOME, SEVERITY, look_of_send, was_blocked
from agentguard.show.phrases import amount, clock_time, match_names, plural, process_chain, process_name
from agentguard.show.report.credentials import Credential
from agentguard.show.report.data import ReportData
from agentguard.show.report.groups import Group, grouped
from agentguard.show.report.markup import Child, Html, join, link, prose, tag
from agentguard.show.report.touched import Reached, ReadFile, files_read, places_reached, receiver
from agentguard.show.text import shortened

MOST_ROWS = 60
"""Rows of one table; more are counted below it."""
LONGEST = 240
"""Characters of one cell that an agent could choose."""

Cell = tuple[Child, str]
"""What stands in it, and its class."""


def credentials_table(data: ReportData) -> Html:
    rows = [_credential_row(data, one) for one in data.credentials[:MOST_ROWS]]
    head = ("Credential", "Comes from", "Read", "Went to", "Came to", "Replace it at")
    known = max(len(data.credentials), len(data.known))
    more = _more(data, known - len(rows), "credential", "keys --format json")
    return table("Worst first. A preview never shows enough to use a key.", head, rows, more)


def _credential_row(data: ReportData, one: Credential) -> list[Cell]:
    kind = issuer_of(data.issuers, one.type)
    look = OUTCOME[one.outcome]
    taken, hosts = _uses(data, one)
    shown = [tag("code", one.preview), " "] if one.preview.strip("•") else []
    about = [tag("span", kind.name, ", public by design" if one.public else None), tag("br")]
    name = [tag("span", brief(one.name or kind.name), class_="name"), tag("br")]
    where = (
        link(kind.page, _site(kind.page))
        if kind.page
        else prose(kind.rotation)
        if kind.rotation
        else "where it was issued"
    )
    return [
        (join([*name, tag("span", *about, *shown, _fingerprint(one), class_="soft small")]), "wide"),
        (lines([inside(source, data.session.cwd) or source for source in one.sources], 3), "wide"),
        (f"{taken:,} ×" if taken else "no", "number"),
        (lines(hosts, 4) if hosts else "nowhere", "wide"),
        (badge(look.glyph, look.word.lower(), one.outcome.value), ""),
        (where, "wide"),
    ]


def _uses(data: ReportData, one: Credential) -> tuple[int, list[str]]:
    """How often it was taken, and where it went: by the inventory, where not every event is here."""
    known = data.known.get(one.fingerprint)
    if known is None or not data.omitted:
        return one.reads, one.hosts
    taken = sum(reading.count for reading in readings(known.uses))
    sent = [use.host for use in sendings(known.uses) if not use.blocked]
    return taken, list(dict.fromkeys([*one.hosts, *filter(None, sent)]))


def _fingerprint(one: Credential) -> Html:
    return tag("span", one.fingerprint[:12], class_="mono")


def _site(address: str) -> str:
    """`github.com` of `https://github.com/settings/tokens`."""
    return address.removeprefix("https://").partition("/")[0]


def files_table(data: ReportData) -> Html:
    files = files_read(data.reads, data.opened)
    rows = [_file_row(data, one) for one in files[:MOST_ROWS]]
    head = ("File", "Opened by", "When", "Verdict")
    known = data.opened.names if data.opened else len(files)
    more = _more(data, known - len(rows), "file", "events --kind file")
    return table("Files with credentials that were opened, the gravest first.", head, rows, more)


def _file_row(data: ReportData, one: ReadFile) -> list[Cell]:
    names = match_names(one.matches, 6)
    counted = data.opened is None
    who = lines(
        [f"{name} ×{count:,}" if count > 1 and counted else name for name, count in one.readers.most_common()], 5
    )
    return [
        (join([tag("code", brief(one.path)), *([tag("br"), _soft(brief(names))] if names else [])]), "wide"),
        (who, "wide"),
        (_span(data, one.first_ns, one.last_ns, one.count), ""),
        (_verdict(one.gravest), "wide"),
    ]


def destinations_table(data: ReportData) -> Html:
    places = places_reached(data.sends, data.repeated, data.reached)
    rows = [_place_row(data, one) for one in places[:MOST_ROWS]]
    head = ("Destination", "What it got", "Sent by", "When", "Verdict")
    known = data.reached.names if data.reached else len(places)
    more = _more(data, known - len(rows), "destination", "events --kind http")
    return table("Who was sent a credential, the worst first.", head, rows, more)


def _place_row(data: ReportData, one: Reached) -> list[Cell]:
    host = tag("span", brief(one.host), class_="name")
    size = f", {amount(one.size)}" if one.size else ""
    got = [f"{name} in {where}" for name, where in one.got]
    return [
        (
            join(
                [host, tag("br"), _soft(receiver(one.gravest.verdict) + size), tag("br"), _code_lines(one.subjects, 2)]
            ),
            "wide",
        ),
        (lines(got, 6), "wide"),
        (lines(one.senders, 4), "wide"),
        (_span(data, one.first_ns, one.last_ns, one.count), ""),
        (_verdict(one.gravest), "wide"),
    ]


def commands_table(data: ReportData) -> Html:
    groups = grouped(data.commands)
    rows = [_command_row(data, group) for group in groups[:MOST_ROWS]]
    head = ("What", "By", "When", "Verdict")
    more = _more(data, len(groups) - len(rows), "row", "events --kind command")
    return table("Commands that fetch or carry credentials, and credentials in an environment.", head, rows, more)


def _command_row(data: ReportData, group: Group) -> list[Cell]:
    event = group.first
    names = match_names(event.finding.matches, 6)
    return [
        (
            join([tag("code", brief(event.finding.subject)), *([tag("br"), _soft(brief(names))] if names else [])]),
            "wide",
        ),
        (who(event), "wide"),
        (_span(data, event.finding.time_ns, group.last.finding.time_ns, len(group)), ""),
        (_verdict(event), "wide"),
    ]


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[Cell]], more: Html | None = None) -> Html:
    """Its first cell names each row. Where the screen is narrow, each cell says which column it is of."""
    top = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in head)))
    body = tag("tbody", *(_row(head, cells) for cells in rows))
    return join([tag("table", tag("caption", caption), top, body), more])


def _row(head: Sequence[str], cells: Sequence[Cell]) -> Html:
    (name, class_), *others = cells
    return tag(
        "tr",
        tag("th", name, scope="row", class_=class_ or None),
        *(
            tag("td", cell, class_=class_ or None, data_label=label)
            for label, (cell, class_) in zip(head[1:], others, strict=True)
        ),
    )


def _more(data: ReportData, count: int, one: str, verb: str) -> Html | None:
    """How many rows were left out, and how to see them."""
    if count <= 0:
        return None
    words, *options = verb.split(" ", 1)
    session = "" if words == "keys" else f" --session {data.session.uid}"
    typed = tag("code", " ".join([f"agentguard {words}{session}", *options]))
    return tag("p", f"And {plural(count, 'more ' + one, f'more {one}s')}: ", typed, class_="soft small")


def brief(value: str, most: int = LONGEST) -> str:
    """Its beginning and its end when it is very long."""
    return shortened(value, most)


def inside(path: str, folder: str) -> str:
    """The path as seen from the session's folder; "" when it lies elsewhere."""
    return path[len(folder) + 1 :] if folder and path.startswith(f"{folder.rstrip('/')}/") else ""


def lines(parts: Sequence[str], most: int) -> Html:
    """One below the other; the rest is counted."""
    out: list[Child] = []
    for part in parts[:most]:
        out += [tag("span", brief(part)), tag("br")]
    left = len(parts) - most
    return join([*out, tag("span", f"and {left:,} more", class_="soft")] if left > 0 else out[:-1])


def _code_lines(parts: Sequence[str], most: int) -> Html:
    shown = join([tag("code", brief(part)) for part in parts[:most]], " ")
    left = len(parts) - most
    return join([shown, tag("span", f" and {left:,} more", class_="soft") if left > 0 else None])


def badge(glyph: str, word: str, tone: str) -> Html:
    """Glyph and word; the colour only repeats them."""
    return tag("span", tag("span", glyph, aria_hidden="true"), f" {word}", class_=f"tag {tone}")


def _soft(words: str) -> Html:
    return tag("span", words, class_="soft small")


def _span(data: ReportData, first_ns: int, last_ns: int, count: int) -> Html:
    first = tag("span", clock_time(first_ns, data.zone), class_="when")
    if count == 1:
        return first
    last = f"{count:,} times, last {clock_time(last_ns, data.zone)}"
    return join([first, tag("br"), tag("span", last, class_="soft small")])


def who(event: Event) -> Html:
    """The process, how sure that is, and who started it."""
    finding = event.finding
    sure = finding.attribution
    doubt = _soft(f" ({sure.value})") if sure is not Attribution.EXACT else None
    chain = process_chain(finding.process).partition(" ← ")[2]
    below = [tag("br"), _soft(f"← {brief(chain)}")] if chain else []
    return join([brief(process_name(finding.process)), doubt, *below])


def _verdict(event: Event) -> Html:
    """What it came to, why, and the rule that said so."""
    verdict = event.verdict
    if was_blocked(verdict) or verdict.destination:
        look = look_of_send(verdict)
        tone = "blocked" if was_blocked(verdict) else verdict.outcome.value
        word = badge(look.glyph, look.word.lower(), tone)
    else:
        severity = SEVERITY[verdict.severity]
        word = badge(
            severity.glyph, f"{severity.word}, {DISPOSITION[verdict.disposition].word}", verdict.severity.value
        )
    return join([word, tag("br"), tag("span", brief(verdict.reason))])
