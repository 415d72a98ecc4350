"""Say where you stand: what runs, what came of the last session, which keys wait, and the one thing to do next.

`agentguard` alone does the same. Nothing is changed.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import time
from typing import TYPE_CHECKING

from agentguard.config import Home, folder_of_user, home_option, home_path
from agentguard.formats import add_format, color, room

if TYPE_CHECKING:
    from pathlib import Path

    from agentguard.show.urgency import Task

_DEFAULT_AGENT = "claude"
_COMMON_AGENTS = ("claude", "codex", "gemini", "opencode", "aider", "goose")
"""Looked for in this order, to name one that is there; the catalogue of agents takes longer to read than all else."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_format(parser, "text", "json")


def run(arguments: argparse.Namespace) -> int:
    """Raises StoreError when the database cannot be read."""
    from agentguard.record.standing import standing
    from agentguard.show.standing_lines import Situation, standing_json, standing_lines

    home = Home(home_path(arguments.home))
    found = standing(home.database)
    now = Situation(
        running=[one.session for one in found.open if one.guarded],
        died=[one.session for one in found.open if not one.guarded],
        last=found.last,
        tasks=_tasks(home.database, time.time_ns()),
        now_ns=time.time_ns(),
        user_home=str(folder_of_user()),
        home_option=home_option(home),
    )
    agent = next(filter(shutil.which, _COMMON_AGENTS), _DEFAULT_AGENT)
    if arguments.format == "json":
        from agentguard.show.document import document

        print(document("status", standing_json(now, agent)))
        return 0
    print("\n".join(standing_lines(now, agent=agent, room=room(), color=color())))
    return 0


def _tasks(database: Path, now_ns: int) -> list[Task]:
    """Without the words of the issuers, whose file takes as long to read as all else: by cause, then the latest."""
    from agentguard.record.reader import Reader

    with contextlib.closing(Reader(database)) as reader:
        known = reader.credentials()
    if not known:
        return []
    from agentguard.keys_page import tasks_of

    return tasks_of(known, {}, now_ns)[1]
