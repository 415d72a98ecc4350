"""Print events: what was read, run, inherited and sent, and the gaps.

The default format is text (a table) on a terminal and JSON Lines in a pipe. Everything is printed unless --limit says
otherwise. With --follow, what is recorded so far comes first (--limit 0: none of it), then each new event as it
happens; following one session ends when that session is sealed.
"""

from __future__ import annotations

import argparse
import select
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from agentguard.config import Home, home_path
from agentguard.errors import AgentGuardError
from agentguard.formats import add_format, color, piped, room
from agentguard.model.finding import Kind
from agentguard.model.verdict import Severity

if TYPE_CHECKING:
    from agentguard.model.event import Event
    from agentguard.record.reader import EventQuery, Reader
    from agentguard.show.event_lines import Lines

POLL_SECONDS = 0.05
PAGE = 500


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--session", metavar="S", help="uid of a session, a beginning of one, or `last`; default: all")
    parser.add_argument("--follow", "-f", action="store_true", help="go on printing events as they happen")
    add_format(parser, "text", "jsonl", "json", "csv", "ocsf", default=None, words="default: text, or jsonl in a pipe")
    parser.add_argument("--kind", metavar="K", action="append", choices=list(Kind), help=f"of {', '.join(Kind)}")
    parser.add_argument("--min-severity", metavar="S", choices=list(Severity), help=f"of {', '.join(Severity)}")
    parser.add_argument("--limit", metavar="N", type=int, help="only the newest N of what is recorded so far")
    parser.add_argument("--search", metavar="TEXT", help="only events in which every word of TEXT occurs")
    parser.add_argument(
        "--filter", metavar="TEXT", default="", help="as in the dashboard: 'severity>=high -kind:gap host:x since:10m'"
    )


def run(arguments: argparse.Namespace) -> int:
    """Raises AgentGuardError for a session that does not exist, and StoreError."""
    from agentguard.record.reader import Reader
    from agentguard.show.event_lines import json_array, lines_for

    chosen = piped(arguments.format, "jsonl")
    if chosen == "json" and arguments.follow:
        raise AgentGuardError("--follow has no end, an array has one; use --format jsonl")
    if arguments.limit is not None and arguments.limit < 0:
        raise AgentGuardError("--limit takes 0 or more")
    reader = Reader(Home(home_path(arguments.home)).database)
    try:
        query = _query(arguments, reader)
        if chosen == "json":
            for line in json_array(event for _, event in _recorded(reader, query)):
                print(line)
            return 0
        lines = lines_for(chosen, room=room(), color=color())
        if lines.header is not None:
            print(lines.header, end=lines.end, flush=arguments.follow)
        _print(reader, query, lines, follow=arguments.follow)
    finally:
        reader.close()
    return 0


def _query(arguments: argparse.Namespace, reader: Reader) -> EventQuery:
    from agentguard.record.reader import EventQuery
    from agentguard.session_name import named_session
    from agentguard.show.filters.language import parse_filter

    typed = parse_filter(arguments.filter, time.time_ns())
    if typed.session is not None and arguments.session is not None:
        raise AgentGuardError("the session is named twice, by --session and in --filter; name it once")
    name = arguments.session or typed.session
    session = None
    if name is not None:
        while arguments.follow and name == "last" and not reader.sessions(1, counted=False):
            _pause()
        session = named_session(reader, name).uid
    return EventQuery(
        session=session,
        terms=typed.terms,
        kinds=[Kind(kind) for kind in arguments.kind] if arguments.kind else None,
        min_severity=Severity(arguments.min_severity) if arguments.min_severity else None,
        text=arguments.search,
        limit=arguments.limit,
    )


def _print(reader: Reader, query: EventQuery, lines: Lines, *, follow: bool) -> None:
    # Whatever is recorded from here on has a greater id, whether or not it matches.
    last = reader.last_id()
    for last_printed, event in _recorded(reader, query):
        print(lines.line(event), end=lines.end)
        last = max(last, last_printed)
    if follow:
        sys.stdout.flush()
        _follow(reader, replace(query, limit=PAGE), lines, last)


def _recorded(reader: Reader, query: EventQuery) -> Iterator[tuple[int, Event]]:
    """Row id and event of what is recorded now, oldest first, read page by page."""
    after = 0
    if query.limit is not None:
        newest = reader.event_ids(replace(query, newest_first=True)) if query.limit else []
        after = newest[-1] - 1 if newest else reader.last_id()
    while rows := reader.rows(replace(query, after=after, limit=PAGE)):
        for row in rows:
            yield row.id, row.event
        after = rows[-1].id


def _follow(reader: Reader, query: EventQuery, lines: Lines, last: int) -> None:
    """Print what comes after row `last`, until the session is sealed, or for ever."""
    seen = None
    while True:
        version = reader.data_version()
        if version == seen:
            _pause()
            continue
        # Asked before the rows: a seal seen here means that no event comes after those read below.
        session = reader.session(query.session) if query.session else None
        while rows := reader.rows(replace(query, after=last)):
            for row in rows:
                print(lines.line(row.event), end=lines.end)
            last = rows[-1].id
        sys.stdout.flush()
        if session is not None and session.seal:
            return
        seen = version


def _pause() -> None:
    """Wait one step; notice at once that nobody reads our output any more.

    Raises:
        BrokenPipeError: the reader of the pipe has gone.
    """
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        gone = poll.poll(POLL_SECONDS * 1000)
    except (AttributeError, OSError, ValueError):
        time.sleep(POLL_SECONDS)
        return
    if gone:
        raise BrokenPipeError
