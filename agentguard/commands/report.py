"""Write the report of a session, or of all in a range of time: one page for people, or data for programs.

HTML goes to the folder reports in the home folder unless -o says otherwise; everything else goes to stdout.
`-o -` is stdout for every format. Without --format, the ending of FILE decides.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from agentguard.command_name import command
from agentguard.config import Home, home_option, home_path
from agentguard.errors import AgentGuardError, UsageError
from agentguard.formats import add_format, color, room
from agentguard.output_file import format_of, write_output
from agentguard.show.filters.moments import ALLOWED, moment_ns

if TYPE_CHECKING:
    from agentguard.model.session import Session
    from agentguard.record.reader import Reader
    from agentguard.record.span import Scope
    from agentguard.show.sheets.span import SpanData

_FORMATS = ("html", "text", "markdown", "json", "csv", "sarif", "ocsf")
_OF_RANGE = ("html", "text", "markdown", "json", "csv")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    words = "uid, a beginning of one, or `last` (default)"
    which.add_argument("session", metavar="SESSION", nargs="?", default=argparse.SUPPRESS, help=words)
    which.add_argument("--session", metavar="S", help="the same; other verbs have it, too")
    which.add_argument("--last", dest="session", action="store_const", const="last", help="the newest session")
    span = parser.add_argument_group("several sessions at once")
    span.add_argument("--since", metavar="WHEN", help=f"those that began then or later: {ALLOWED}")
    span.add_argument("--until", metavar="WHEN", help="and before then")
    span.add_argument("--agent", metavar="ID", help="and of this agent, as claude-code")
    add_format(parser, *_FORMATS, default=None, words="default: by the ending of FILE, else html")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write it; `-` is stdout")


def run(arguments: argparse.Namespace) -> int:
    """Raises UsageError, AgentGuardError for a session that does not exist, StoreError, and OSError of the file."""
    from agentguard.record.reader import Reader
    from agentguard.session_name import named_session

    home = Home(home_path(arguments.home))
    chosen = arguments.format or format_of(arguments.output, "html")
    if arguments.since or arguments.until or arguments.agent:
        return _range(arguments, home, chosen)
    with contextlib.closing(Reader(home.database)) as reader:
        session = named_session(reader, arguments.session or "last")
        if chosen == "html" and arguments.output is None:
            from agentguard.show.report.write import write_report

            print(write_report(reader, session, home.reports))
            return 0
        write_output(arguments.output, _rendered(reader, session, chosen, arguments))
    return 0


def _none_yet() -> AgentGuardError:
    return AgentGuardError(f"no session yet; start one with `{command()} run -- claude`, or see `{command()} demo`")


def _rendered(reader: Reader, session: Session, chosen: str, arguments: argparse.Namespace) -> Iterator[str]:
    """Of one session. Rows of events come page by page: there may be millions."""
    if chosen in ("csv", "ocsf"):
        from agentguard.record.reader import EventQuery
        from agentguard.show.event_lines import lines_for
        from agentguard.show.report.pages import each_event

        lines = lines_for(chosen)
        if lines.header is not None:
            yield lines.header + lines.end
        for event in each_event(reader, EventQuery(session=session.uid)):
            yield lines.line(event) + lines.end
    elif chosen == "sarif":
        from agentguard.show.report.sarif_report import session_sarif

        yield session_sarif(reader, session) + "\n"
    elif chosen == "text":
        from agentguard.show.summary import told

        home = Home(home_path(arguments.home))
        said = told(session, reader, color=color(arguments.output), home_option=home_option(home))
        yield "".join(f"{line}\n" for line in said)
    else:
        yield from _report(reader, session, chosen)


def _report(reader: Reader, session: Session, chosen: str) -> Iterator[str]:
    from agentguard.show.report.data import gather

    data = gather(reader, session)
    if chosen == "json":
        from agentguard.show.report.json_report import json_parts

        yield from json_parts(reader, data)
    elif chosen == "markdown":
        from agentguard.show.report.markdown import render_markdown

        yield render_markdown(data)
    else:
        from agentguard.show.report.html import render_html

        yield render_html(data)


def _range(arguments: argparse.Namespace, home: Home, chosen: str) -> int:
    from agentguard.record.span import SpanReader
    from agentguard.show.sheets.span import gather_span

    if arguments.session:
        raise UsageError("a session and --since, --until or --agent do not go together")
    if chosen not in _OF_RANGE:
        raise UsageError(f"a range has no {chosen}; take one of {', '.join(_OF_RANGE)}")
    now_ns = time.time_ns()
    with contextlib.closing(SpanReader(home.database)) as reader:
        data = gather_span(reader, _scope(arguments, now_ns), now_ns)
    if not data.sessions and not home.database.exists():
        raise _none_yet()
    output = arguments.output
    if chosen == "html" and output is None:
        home.reports.mkdir(mode=0o700, parents=True, exist_ok=True)
        output = str(home.reports / f"range-{datetime.now().astimezone():%Y%m%d-%H%M%S}.html")
        print(output)
        sys.stdout.flush()
    write_output(output, _rendered_range(data, chosen, output))
    return 0


def _scope(arguments: argparse.Namespace, now_ns: int) -> Scope:
    from agentguard.record.span import Scope

    scope = Scope(agent=arguments.agent or "")
    if arguments.since:
        scope = replace(scope, since_ns=_moment(arguments.since, now_ns))
    if arguments.until:
        scope = replace(scope, until_ns=_moment(arguments.until, now_ns))
    if scope.since_ns >= scope.until_ns:
        raise UsageError("--since is not before --until")
    return scope


def _moment(text: str, now_ns: int) -> int:
    try:
        return moment_ns(text, now_ns, None)
    except ValueError:
        raise UsageError(f"{text!r} is no moment; write {ALLOWED}") from None


def _rendered_range(data: SpanData, chosen: str, output: str | None) -> Iterator[str]:
    if chosen == "json":
        from agentguard.show.sheets.span_json import span_json

        yield span_json(data) + "\n"
    elif chosen == "csv":
        from agentguard.show.session_lines import CSV_HEADER, csv_session
        from agentguard.show.table import CSV_END, csv_line

        yield csv_line(CSV_HEADER) + CSV_END
        yield from (csv_session(session) + CSV_END for session in data.sessions)
    else:
        from agentguard.show.sheets.render import rendered_sheet
        from agentguard.show.sheets.span import span_sheet

        yield from rendered_sheet(span_sheet(data), chosen, room(), color=color(output))
