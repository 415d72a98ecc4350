"""How you are told of what cannot wait: a leak, an exposure, a blocked send, a sensor that died.

Without notify.yaml in the home folder there are two: the desktop, and the terminal's bell. It may name others:

  version: 1
  channels:
    - desktop
    - terminal
    - name: phone
      command: [ntfy, publish, my-topic]          # gets the notification as JSON on its standard input
    - name: team
      webhook: https://hooks.example.com/agentguard
      secret: file:~/.config/agentguard/webhook   # signs it (Standard Webhooks); or keyring:SERVICE/ACCOUNT
  tell: [leaked, critical, exposed, blocked, sensor]
  every: 60s            # after one message the next waits so long, and tells of all that came meanwhile
  repeat_after: 1h      # the same credential at the same destination is told again after that
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from agentguard.command_name import command
from agentguard.config import Home, home_option, home_path, open_home
from agentguard.errors import EXIT_ERROR, EXIT_OK
from agentguard.formats import add_format

if TYPE_CHECKING:
    from agentguard.show.notify.settings import Channel, Settings
    from agentguard.show.notify.told import Result
    from agentguard.show.notify.words import Notification


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    test = actions.add_parser("test", help="send a made-up notification, and say what happened")
    test.add_argument("channel", metavar="CHANNEL", nargs="*", help="only these (default: all of notify.yaml)")
    listed = actions.add_parser("list", help="the channels, and how each fared last")
    for action in (test, listed):
        add_format(action, "text", "json")
        # `notify --home DIR list` and `notify list --home DIR` mean the same.
        action.add_argument("--home", metavar="DIR", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Raises ConfigError, PolicyError: notify.yaml is wrong, or names no such channel."""
    from agentguard.show.notify.settings import settings_of

    home = open_home(home_path(arguments.home))
    as_json = arguments.format == "json"
    if arguments.action == "list":
        return _list(home, settings_of(home.notify, None), as_json=as_json)
    return _test(home, settings_of(home.notify, arguments.channel or None), as_json=as_json)


def _test(home: Home, settings: Settings, *, as_json: bool) -> int:
    from agentguard.model.identity import new_uid
    from agentguard.show.notify.told import ToldFile
    from agentguard.show.notify.words import test_notification

    now = time.time_ns()
    note = test_notification(uid=new_uid(now), time_ns=now, look=f"{command()} notify list{home_option(home)}")
    told = ToldFile(home.notified, settings.repeat_seconds)
    results = {}
    for channel in settings.channels:
        result = results[channel.name] = _deliver(channel, note)
        told.record(result)
        if not as_json:
            print(_line(channel, result), flush=True)
    if as_json:
        print(_document(settings, results))
    elif not results:
        print("there is no channel: notify.yaml says `channels: []`")
    return EXIT_OK if all(result.delivered for result in results.values()) else EXIT_ERROR


def _deliver(channel: Channel, note: Notification) -> Result:
    from agentguard.show.notify.settings import Kind

    if channel.kind is Kind.TERMINAL:
        return _ring(channel, note)
    from agentguard.show.notify.deliver import deliver

    return deliver(channel, note, os.environ)


def _ring(channel: Channel, note: Notification) -> Result:
    """This terminal is ours while we run."""
    from agentguard.show.notify.channels.terminal import ring, sequence
    from agentguard.show.notify.told import Result

    text = sequence(note.title, os.environ)
    rung = sys.stderr.isatty() and bool(text) and ring(sys.stderr.fileno(), text)
    said = "a bell and a message were written to it" if rung else "standard error is no terminal that can ring"
    return Result(channel.name, time.time_ns(), rung, said)


def _line(channel: Channel, result: Result) -> str:
    from agentguard.show.text import safe

    glyph = "✓" if result.delivered else "✗"
    return f"{glyph} {channel.name:<12} {safe(result.text)}"


def _document(settings: Settings, last: Mapping[str, Result]) -> str:
    from agentguard.model.event import iso_time
    from agentguard.show.document import document

    def fared(result: Result | None) -> dict[str, object] | None:
        if result is None:
            return None
        return {"time": iso_time(result.time_ns), "delivered": result.delivered, "text": result.text}

    rows = [{"channel": one.name, "kind": one.kind, "last": fared(last.get(one.name))} for one in settings.channels]
    return document("notify", {"channels": rows})


def _list(home: Home, settings: Settings, *, as_json: bool) -> int:
    from agentguard.show.notify.told import ToldFile

    last = {result.channel: result for result in ToldFile(home.notified, 0).results()}
    if as_json:
        print(_document(settings, last))
        return EXIT_OK
    for channel in settings.channels:
        print(f"{channel.name:<12} {channel.kind:<9} {_fared(last.get(channel.name))}")
    return EXIT_OK


def _fared(result: Result | None) -> str:
    from agentguard.show.phrases import day_and_time
    from agentguard.show.text import safe

    if result is None:
        return "not used yet"
    done = "delivered" if result.delivered else "NOT delivered"
    return f"{done} {day_and_time(result.time_ns)}: {safe(result.text)}"
