"""Check the audit log: every event's place in its chain, every session's seal, and the register of all sessions."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING

from agentguard.config import Home, home_path
from agentguard.errors import EXIT_FOUND, EXIT_OK
from agentguard.formats import add_format

if TYPE_CHECKING:
    from agentguard.record.verify import Verification

MOST_LINES = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--session", metavar="S", help="only this one: uid, a beginning of one, or `last`")
    add_format(parser, "text", "json")


def run(arguments: argparse.Namespace) -> int:
    """Raises StoreError when the database cannot be read, ConfigError when the key cannot."""
    from agentguard.record.reader import Reader
    from agentguard.record.verify import verify
    from agentguard.session_name import named_session

    home = Home(home_path(arguments.home))
    uid = None
    if arguments.session is not None:
        with contextlib.closing(Reader(home.database)) as reader:
            uid = named_session(reader, arguments.session).uid
    result = verify(home, uid)
    if arguments.format == "json":
        from agentguard.show.document import document

        print(document("verify", _as_json(result)))
    else:
        print("\n".join(_as_text(result)))
    return EXIT_FOUND if result.problems else EXIT_OK


def _as_text(result: Verification) -> list[str]:
    from agentguard.show.phrases import day_and_time, plural
    from agentguard.show.text import safe

    checked = f"{plural(result.sessions, 'session')}, {plural(result.events, 'event')} checked"
    lines = [f"✓ whole: {checked}; nothing was changed."] if not result.problems else []
    if result.problems:
        lines.append(f"✕ broken: {checked}; {plural(len(result.problems), 'place')} where the record was changed:")
    for problem in result.problems[:MOST_LINES]:
        where = f"session {safe(problem.session)}" if problem.session else "the register"
        event = f", event {problem.seq}" if problem.seq else ""
        lines.append(f"  {where}{event}: {problem.what}")
    if len(result.problems) > MOST_LINES:
        lines.append(f"  and {len(result.problems) - MOST_LINES:,} more")
    if result.unsealed:
        lines.append(
            f"○ {plural(len(result.unsealed), 'session')} not sealed yet (running, or its guard died): the events "
            "were checked, the end of the chain is open."
        )
    if result.purged and result.purged_before_ns is not None:
        day = day_and_time(result.purged_before_ns)[:10]
        lines.append(f"○ {plural(result.purged, 'session')} purged, up to {day}: the register holds their seals.")
    if result.half_purged:
        left = plural(len(result.half_purged), "session")
        lines.append(f"! {left} half purged, and not checked: `agentguard purge` goes on with it.")
    return lines


def _as_json(result: Verification) -> dict[str, object]:
    from agentguard.model.event import iso_time

    return {
        "whole": not result.problems,
        "sessions": result.sessions,
        "events": result.events,
        "unsealed": list(result.unsealed),
        "purged": result.purged,
        "purged_before": None if result.purged_before_ns is None else iso_time(result.purged_before_ns),
        "half_purged": list(result.half_purged),
        "problems": [
            {"session": problem.session, "seq": problem.seq, "what": problem.what} for problem in result.problems
        ],
    }
