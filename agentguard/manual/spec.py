"""The parsers of the command line, as data: for completions and the manual page."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from agentguard.cli import VERBS, verb_parser


class Takes(StrEnum):
    """What a value is, for whoever completes it."""

    NOTHING = "nothing"
    WORD = "word"
    """Known to nobody but the user."""
    CHOICE = "choice"
    FILE = "file"
    FOLDER = "folder"
    SESSION = "sessions"
    """uid of a recorded session."""
    FINGERPRINT = "fingerprints"
    """Of a recorded credential."""
    COMMAND = "command"
    """A program and its arguments."""


@dataclass(frozen=True, slots=True)
class Option:
    """`--name VALUE`."""

    names: tuple[str, ...]
    help: str
    takes: Takes
    metavar: str
    """As help shows it: "" where nothing is taken."""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Positional:
    """A word without a name."""

    metavar: str
    help: str
    takes: Takes
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A verb, or an action of one."""

    path: tuple[str, ...]
    """(verb,) or (verb, action)"""
    help: str
    """One line."""
    description: str
    options: tuple[Option, ...]
    positionals: tuple[Positional, ...]
    actions: tuple[Command, ...]

    @property
    def valued(self) -> tuple[str, ...]:
        """Names of options behind which a value stands."""
        return tuple(name for option in self.options if option.takes is not Takes.NOTHING for name in option.names)


_BY_METAVAR = {
    "DIR": Takes.FOLDER,
    "FILE": Takes.FILE,
    "PATH": Takes.FILE,
    "SESSION": Takes.SESSION,
    "EARLIER": Takes.SESSION,
    "LATER": Takes.SESSION,
    "FINGERPRINT": Takes.FINGERPRINT,
    "-- COMMAND ...": Takes.COMMAND,
}


def brief(text: str) -> str:
    """Of a help text what stands beside a completion: its first clause."""
    return textwrap.shorten(re.split(r"[.;:(] |; | \(", text, maxsplit=1)[0], 70, placeholder="…")


@cache
def commands() -> tuple[Command, ...]:
    """Every verb, in the order in which help lists them. Imports them all."""
    return tuple(_command((verb,), text, verb_parser(verb)) for verb, text in VERBS.items())


def everything(tree: tuple[Command, ...]) -> Iterator[Command]:
    """Verbs and, behind each, its actions."""
    for command in tree:
        yield command
        yield from command.actions


def _command(path: tuple[str, ...], text: str, parser: argparse.ArgumentParser) -> Command:
    options, positionals, actions = [], [], []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            words = {one.dest: one.help or "" for one in action._choices_actions}
            actions += [_command((*path, name), words.get(name, ""), below) for name, below in action.choices.items()]
        elif action.help == argparse.SUPPRESS:
            continue
        elif action.option_strings:
            options.append(_option(action))
        else:
            choices = tuple(map(str, action.choices or ()))
            takes = Takes.CHOICE if choices else _BY_METAVAR.get(_metavar(action), Takes.WORD)
            positionals.append(Positional(_metavar(action), _words(action), takes, choices))
    return Command(path, text, parser.description or "", tuple(options), tuple(positionals), tuple(actions))


def _option(action: argparse.Action) -> Option:
    names = tuple(sorted(action.option_strings, key=len, reverse=True))
    if action.nargs == 0:
        return Option(names, _words(action), Takes.NOTHING, "")
    choices = tuple(map(str, action.choices or ()))
    metavar = _metavar(action)
    takes = Takes.CHOICE if choices else _BY_METAVAR.get(metavar, Takes.WORD)
    if action.dest == "session":
        takes = Takes.SESSION
    return Option(names, _words(action), takes, metavar, choices)


def _metavar(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    return "{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper()


def _words(action: argparse.Action) -> str:
    return " ".join((action.help or "").replace("%%", "%").split())
