"""List the sessions and their outcomes, newest first.

The default format is text (a table) on a terminal and JSON in a pipe.
"""

from __future__ import annotations

import argparse
import json
import sys

from agentguard.command_name import command
from agentguard.config import Home, home_path
from agentguard.errors import AgentGuardError
from agentguard.formats import add_format, color, piped, room


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_format(parser, "text", "json", "jsonl", "csv", default=None, words="default: text, or json in a pipe")
    parser.add_argument("--session", metavar="S", help="only this one: uid, a beginning of one, or `last`")
    parser.add_argument("--limit", metavar="N", type=int, help="only the newest N")


def run(arguments: argparse.Namespace) -> int:
    """Raises AgentGuardError for a session that does not exist, and StoreError."""
    from agentguard.model.session_json import session_to_json
    from agentguard.record.reader import Reader
    from agentguard.session_name import named_session
    from agentguard.show.session_lines import CSV_HEADER, csv_session, session_table
    from agentguard.show.table import CSV_END, csv_line

    if arguments.limit is not None and arguments.limit < 0:
        raise AgentGuardError("--limit takes 0 or more")
    chosen = piped(arguments.format, "json")
    reader = Reader(Home(home_path(arguments.home)).database)
    try:
        sessions = reader.sessions(arguments.limit)
        if arguments.session is not None:
            sessions = [named_session(reader, arguments.session)]
    finally:
        reader.close()
    if chosen == "json":
        print(json.dumps([session_to_json(session) for session in sessions], indent=2))
    elif chosen == "jsonl":
        for session in sessions:
            print(json.dumps(session_to_json(session)))
    elif chosen == "csv":
        print(csv_line(CSV_HEADER), end=CSV_END)
        for session in sessions:
            print(csv_session(session), end=CSV_END)
    elif sessions:
        for line in session_table(sessions, room(), color=color()):
            print(line)
    else:
        print(f"no session yet; start one with `{command()} run -- claude`", file=sys.stderr)
    return 0
