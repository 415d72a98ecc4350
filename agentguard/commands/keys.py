"""Every credential seen: where it lives, who took it, where it went, what to rotate."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from agentguard.command_name import command
from agentguard.config import Home, home_option, home_path
from agentguard.errors import AgentGuardError
from agentguard.formats import add_format, color, piped, room

if TYPE_CHECKING:
    from agentguard.model.credential import KnownCredential
    from agentguard.record.reader import Reader
    from agentguard.show.keys_text import Page

MOST_TASKS = 10
"""Shown above the inventory; `keys worklist` has all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    _add_format(parser, default=None)
    parser.add_argument("--demo", action="store_true", help="with the made-up credentials of `agentguard demo`")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    for name, text in (
        ("worklist", "only what must be rotated"),
        ("show", "one credential in full"),
        ("rotated", "say that a credential was replaced"),
    ):
        action = actions.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        # `keys --home DIR show` and `keys show --home DIR` mean the same.
        action.add_argument("--home", metavar="DIR", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        if name == "worklist":
            action.add_argument("--demo", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        if name != "worklist":
            action.add_argument("fingerprint", metavar="FINGERPRINT", help="or a unique beginning of it")
        if name == "rotated":
            action.add_argument("--undo", action="store_true", help="it was not replaced after all")
        else:
            _add_format(action, default=argparse.SUPPRESS)


def _add_format(parser: argparse.ArgumentParser, default: str | None) -> None:
    add_format(parser, "text", "json", "csv", default=default, words="default: text, or json in a pipe")


def run(arguments: argparse.Namespace) -> int:
    """Raises AgentGuardError for a credential that does not exist, and StoreError."""
    from agentguard.record.reader import Reader

    home = Home(home_path(arguments.home))
    with contextlib.closing(Reader(home.database)) as reader:
        if not reader.has_inventory() and home.database.exists():
            from agentguard.upgrade import make_inventory

            make_inventory(home)
        if arguments.action == "rotated":
            return _rotated(home, _named(reader, arguments.fingerprint), undo=arguments.undo)
        one = _named(reader, arguments.fingerprint) if arguments.action == "show" else None
        page = _page(home, reader.credentials(made_up=arguments.demo) if one is None else [one])
    return _show(arguments, page)


def _rotated(home: Home, one: KnownCredential, *, undo: bool) -> int:
    from agentguard.record.at_rest import mark_rotated
    from agentguard.show.issuers import load_issuers
    from agentguard.show.keys_text import name_of
    from agentguard.show.text import safe

    mark_rotated(home, one.fingerprint, None if undo else time.time_ns())
    name = safe(name_of(one, load_issuers()))
    if undo:
        print(f"{name} ({one.fingerprint[:12]}) is not marked as rotated.")
    else:
        print(f"{name} ({one.fingerprint[:12]}) is marked as rotated; any further use of its old value will be told.")
        print(f"Not so? {command()} keys rotated {one.fingerprint[:12]} --undo{home_option(home)}")
    return 0


def _show(arguments: argparse.Namespace, page: Page) -> int:
    from agentguard.show.keys_json import render_keys
    from agentguard.show.keys_text import credential_lines, inventory_lines, worklist_lines

    chosen = piped(arguments.format, "json")
    if chosen == "json":
        listed = [] if arguments.action == "worklist" else page.credentials
        print(render_keys(listed, page.tasks, page.issuers, time.time_ns()))
    elif chosen == "csv":
        from agentguard.show.keys_csv import keys_csv

        tasks = [task.credential for task in page.tasks]
        print(keys_csv(page, tasks if arguments.action == "worklist" else page.credentials), end="")
    elif not page.credentials:
        print(f"no credential seen yet; `{command()} run -- claude` and `{command()} scan` find them", file=sys.stderr)
    elif arguments.action == "show":
        print("\n".join(credential_lines(page, page.credentials[0])))
    elif arguments.action == "worklist":
        print("\n".join(worklist_lines(page)))
    else:
        print("\n".join([*worklist_lines(page, MOST_TASKS), "", *inventory_lines(page)]))
    return 0


def _page(home: Home, known: list[KnownCredential]) -> Page:
    from agentguard.keys_page import keys_page

    return replace(keys_page(home, known, time.time_ns()), room=room(), color=color())


def _named(reader: Reader, fingerprint: str) -> KnownCredential:
    one = reader.credential(fingerprint)
    if one is None:
        raise AgentGuardError(f"no credential {fingerprint!r}; `{command()} keys` lists them")
    return one
