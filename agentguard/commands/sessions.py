"""List the sessions and their outcomes, newest first.

The default format is a table on a terminal and JSON in a pipe.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys

from agentguard.command_name import command
from agentguard.config import Home, home_path
from agentguard.errors import AgentGuardError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=["table", "json", "jsonl", "csv"], help="default: table, or json in a pipe")
    parser.add_argument("--session", metavar="S", help="only this one: uid, a beginning of one, or `last`")
    parser.add_argument("--limit", metavar="N", type=int, help="only the newest N")


def run(arguments: argparse.Namespace) -> int:
    """Raises AgentGuardError for a session that does not exist, and StoreError."""
    from agentguard.model.session_json import session_to_json
    from agentguard.record.reader import Reader
    from agentguard.show.session_lines import CSV_HEADER, csv_session, session_table
    from agentguard.show.table import csv_line

    if arguments.limit is not None and arguments.limit < 0:
        raise AgentGuardError("--limit takes 0 or more")
    chosen = arguments.format or ("table" if sys.stdout.isatty() else "json")
    reader = Reader(Home(home_path(arguments.home)).database)
    try:
        sessions = reader.sessions(arguments.limit)
        if arguments.session is not None:
            one = reader.session(arguments.session)
            if one is None:
                raise AgentGuardError(f"no session {arguments.session!r}; `agentguard sessions` lists them")
            sessions = [one]
    finally:
        reader.close()
    if chosen == "json":
        print(json.dumps([session_to_json(session) for session in sessions], indent=2))
    elif chosen == "jsonl":
        for session in sessions:
            print(json.dumps(session_to_json(session)))
    elif chosen == "csv":
        print(csv_line(CSV_HEADER))
        for session in sessions:
            print(csv_session(session))
    elif sessions:
        color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        for line in session_table(sessions, shutil.get_terminal_size((120, 24)).columns, color=color):
            print(line)
    else:
        print(f"no session yet; start one with `{command()} run -- claude`", file=sys.stderr)
    return 0
