"""Compare two sessions: what is new in the later one, and what is gone.

Credentials, receivers, files, commands, the rules that fired, and the sensors that watched. What is in both is
counted; --format json has it in full.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agentguard.config import Home, home_path
from agentguard.errors import UsageError
from agentguard.formats import add_format, color, room
from agentguard.output_file import format_of, write_output

if TYPE_CHECKING:
    from agentguard.show.sheets.compare import Comparison


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("earlier", metavar="EARLIER", help="uid of a session, or a beginning of one")
    parser.add_argument("later", metavar="LATER", nargs="?", default="last", help="the same; default: the newest")
    words = "default: by the ending of FILE, else text"
    add_format(parser, "text", "markdown", "json", "html", default=None, words=words)
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write it; default: stdout")


def run(arguments: argparse.Namespace) -> int:
    """Raises UsageError, AgentGuardError for a session that does not exist, StoreError, and OSError of the file."""
    from agentguard.record.reader import Reader
    from agentguard.record.span import SpanReader
    from agentguard.session_name import named_session
    from agentguard.show.sheets.compare import compare

    database = Home(home_path(arguments.home)).database
    with contextlib.closing(Reader(database)) as reader:
        before, after = named_session(reader, arguments.earlier), named_session(reader, arguments.later)
    if before.uid == after.uid:
        raise UsageError(f"{after.uid} is the same session twice; `agentguard sessions` lists them")
    with contextlib.closing(SpanReader(database)) as reader:
        data = compare(reader, before, after, time.time_ns())
    chosen = arguments.format or format_of(arguments.output, "text")
    write_output(arguments.output, _rendered(data, chosen, arguments.output))
    return 0


def _rendered(data: Comparison, chosen: str, output: str | None) -> Iterator[str]:
    if chosen == "json":
        from agentguard.show.sheets.compare_json import compare_json

        yield compare_json(data) + "\n"
        return
    from agentguard.show.sheets.compare import compare_sheet
    from agentguard.show.sheets.render import rendered_sheet

    yield from rendered_sheet(compare_sheet(data), chosen, room(), color=color(output))
