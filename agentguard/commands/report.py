"""Write the report of a session: one page for people, or data for programs.

  agentguard report                                 the newest session, as HTML in the home folder; prints its path
  agentguard report 0198c2 --format markdown        one session, for a pull request or an issue
  agentguard report --last --format json            everything that is known of it (`agentguard schema report`)
  agentguard report --last --format csv             one row an event, as `agentguard events --format csv`
  agentguard report --last --format sarif -o x.sarif    for a code scanning service
  agentguard report --last --format ocsf            OCSF 1.7 events, one a line, for a SIEM

HTML goes to reports/<session>.html in the home folder unless -o says otherwise; everything else goes to stdout.
`-o -` is stdout for every format. Without --format, the ending of FILE decides.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from agentguard.command_name import command
from agentguard.config import Home, home_path
from agentguard.errors import AgentGuardError
from agentguard.formats import add_format

if TYPE_CHECKING:
    from agentguard.model.session import Session
    from agentguard.record.reader import Reader

_ENDINGS = {".md": "markdown", ".markdown": "markdown", ".json": "json", ".csv": "csv", ".sarif": "sarif"}
_ENDINGS |= {".ocsf": "ocsf", ".jsonl": "ocsf", ".ndjson": "ocsf"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    words = "uid, a beginning of one, or `last` (default)"
    which.add_argument("session", metavar="SESSION", nargs="?", default=argparse.SUPPRESS, help=words)
    which.add_argument("--session", metavar="S", help="the same; other verbs have it, too")
    which.add_argument("--last", dest="session", action="store_const", const="last", help="the newest session")
    formats = ("html", "markdown", "json", "csv", "sarif", "ocsf")
    add_format(parser, *formats, default=None, words="default: by the ending of FILE, else html")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write it; `-` is stdout")


def run(arguments: argparse.Namespace) -> int:
    """Raises AgentGuardError for a session that does not exist, StoreError, and OSError of the file."""
    from agentguard.record.reader import Reader

    home = Home(home_path(arguments.home))
    chosen = arguments.format or _ENDINGS.get(Path(arguments.output or "").suffix.lower(), "html")
    with contextlib.closing(Reader(home.database)) as reader:
        session = _session(reader, arguments.session or "last")
        if chosen == "html" and arguments.output is None:
            from agentguard.show.report.write import write_report

            print(write_report(reader, session, home.reports))
            return 0
        _write(arguments.output, _rendered(reader, session, chosen))
    return 0


def _session(reader: Reader, name: str) -> Session:
    session = reader.session(name)
    if session is None and name == "last":
        raise AgentGuardError(f"no session yet; start one with `{command()} run -- claude`, or see `{command()} demo`")
    if session is None:
        raise AgentGuardError(f"no session {name!r}; `agentguard sessions` lists them")
    return session


def _write(output: str | None, parts: Iterable[str]) -> None:
    """To the file, whole or not at all; or to stdout, as the parts come."""
    if output in (None, "-"):
        for part in parts:
            sys.stdout.buffer.write(part.encode("utf-8"))
        return
    from agentguard.show.report.write import write_private

    write_private(Path(str(output)), parts)


def _rendered(reader: Reader, session: Session, chosen: str) -> Iterator[str]:
    if chosen in ("csv", "ocsf"):
        from agentguard.record.reader import EventQuery
        from agentguard.show.event_lines import lines_for
        from agentguard.show.report.pages import each_event

        lines = lines_for(chosen)
        if lines.header is not None:
            yield lines.header + lines.end
        for event in each_event(reader, EventQuery(session=session.uid)):
            yield lines.line(event) + lines.end
        return
    if chosen == "sarif":
        from agentguard.show.report.sarif_report import session_sarif

        yield session_sarif(reader, session) + "\n"
        return
    from agentguard.show.report.data import gather

    data = gather(reader, session, everything=chosen == "json")
    if chosen == "markdown":
        from agentguard.show.report.markdown import render_markdown

        yield render_markdown(data)
    elif chosen == "json":
        from agentguard.show.report.json_report import render_json

        yield render_json(data)
    else:
        from agentguard.show.report.html import render_html

        yield render_html(data)
