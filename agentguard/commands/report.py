"""Write the report of a session: HTML for people, Markdown for an issue or a chat, JSON for programs.

Without -o, HTML goes to reports/<session>.html in the home folder and its path is printed; Markdown and JSON go to
stdout. `-o -` is stdout for every format. The newest session is reported unless --session names another.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agentguard.command_name import command
from agentguard.config import Home, home_path
from agentguard.errors import AgentGuardError

if TYPE_CHECKING:
    from agentguard.show.report.data import ReportData

FORMATS = ("html", "md", "json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--session", metavar="S", default="last", help="uid, a beginning of one, or `last` (default)")
    which.add_argument("--last", dest="session", action="store_const", const="last", help="the newest session")
    parser.add_argument("--format", choices=FORMATS, help="default: by the ending of FILE, else html")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write it; `-` is stdout")


def run(arguments: argparse.Namespace) -> int:
    """Raises AgentGuardError for a session that does not exist, StoreError, and OSError of the file."""
    from agentguard.record.reader import Reader

    home = Home(home_path(arguments.home))
    chosen = arguments.format or _format_of(arguments.output)
    reader = Reader(home.database)
    try:
        session = reader.session(arguments.session)
        if session is None:
            raise AgentGuardError(_nothing(arguments.session))
        if chosen == "html" and arguments.output is None:
            from agentguard.show.report.write import write_report

            print(write_report(reader, session, home.reports))
            return 0
        from agentguard.show.report.data import gather

        data = gather(reader, session, everything=chosen == "json")
    finally:
        reader.close()
    text = _render(data, chosen)
    if arguments.output in (None, "-"):
        sys.stdout.buffer.write(text.encode("utf-8"))
    else:
        from agentguard.show.report.write import write_private

        write_private(Path(arguments.output), text)
    return 0


def _format_of(output: str | None) -> str:
    ending = Path(output or "").suffix.lower()
    return {".md": "md", ".markdown": "md", ".json": "json"}.get(ending, "html")


def _nothing(name: str) -> str:
    if name == "last":
        return f"no session yet; start one with `{command()} run -- claude`, or see `{command()} demo`"
    return f"no session {name!r}; `agentguard sessions` lists them"


def _render(data: ReportData, chosen: str) -> str:
    if chosen == "md":
        from agentguard.show.report.markdown import render_markdown

        return render_markdown(data)
    if chosen == "json":
        from agentguard.show.report.json_report import render_json

        return render_json(data)
    from agentguard.show.report.html import render_html

    return render_html(data)
