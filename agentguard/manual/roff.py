"""The manual page, agentguard(1): verbs, options, examples, exit statuses, files and variables."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from agentguard import __version__
from agentguard.manual.helping import statuses
from agentguard.manual.pages import COMMON, PAGES, Page
from agentguard.manual.spec import Command, Option, Takes

_WIDEST = 68
"""Characters of a line of the source; escapes come on top."""

_ESCAPES = {"\\": r"\e", "-": r"\-", "`": r"\(ga", "'": r"\(aq", "~": r"\(ti", "^": r"\(ha"}
_FILES = (
    ("~/.agentguard/agentguard.db", "the sessions and their events (SQLite)"),
    ("~/.agentguard/policy.yaml", "your own policy"),
    ("~/.agentguard/notify.yaml", "how you are told of what cannot wait"),
    ("~/.agentguard/chain.key, fingerprint.key", "keys of the audit log and of the fingerprints; they leave it never"),
    (".agentguard.yaml", "the policy of a repository: it may only make things stricter, until you trust it"),
)
_VARIABLES = (
    ("AGENTGUARD_HOME", "the home folder, instead of ~/.agentguard; --home goes before it"),
    ("NO_COLOR, FORCE_COLOR, TERM", "no colour; colour in a pipe too; `dumb` is no colour and no pager"),
    ("PAGER", "what shows long text on a terminal (default: less -FRX); --no-pager or an empty one: nothing"),
)


def page(tree: Sequence[Command]) -> str:
    """In the `man` macros."""
    lines = [
        f'.TH AGENTGUARD 1 "" "AgentGuard {__version__}" "User Commands"',
        ".SH NAME",
        r"agentguard \- which credentials a coding agent touched, and where they went",
        ".SH SYNOPSIS",
        ".B agentguard",
        r"[\-\-version] [\-\-help] [\-\-no\-pager]",
        r".I VERB",
        r"\&...",
        ".SH DESCRIPTION",
        *_text("Without a verb it says where you stand: what runs, what came of it, what to do next."),
        ".SH VERBS",
    ]
    for command in tree:
        lines += _verb(command)
    lines += [".SH EXIT STATUS", *_pairs(COMMON)]
    lines += [".SH FILES", *_pairs(_FILES), ".SH ENVIRONMENT", *_pairs(_VARIABLES)]
    return "\n".join(lines) + "\n"


def _verb(command: Command) -> Iterator[str]:
    said = PAGES.get(command.path[0], Page(()))
    yield f".SS {_escaped(' '.join(command.path))}"
    yield from _described(command)
    yield from _options(command.options)
    for action in command.actions:
        words = " ".join([*action.path, *(one.metavar for one in action.positionals)])
        yield ".TP"
        yield f".B {_escaped(words)}"
        yield from _text(action.help or action.description)
        if own := list(_options(action.options)):
            yield from (".RS", *own, ".RE")
    yield from (".PP", "Examples:", *_pairs(said.examples)) if said.examples else ()
    yield from (".PP", "Exit status:", *_pairs([one for one in statuses(said) if one not in COMMON]))


def _described(command: Command) -> Iterator[str]:
    for number, block in enumerate(textwrap.dedent(command.description).strip().split("\n\n")):
        if number:
            yield ".PP"
        if block.startswith(" "):
            yield from (".nf", *map(_line, block.splitlines()), ".fi")
        else:
            yield from _text(block)


def _options(options: Sequence[Option]) -> Iterator[str]:
    for option in options:
        if "--help" in option.names or option.names == ("--home",):
            continue
        value = "" if option.takes is Takes.NOTHING else rf" \fI{_escaped(option.metavar)}\fR"
        yield ".TP"
        yield ", ".join(rf"\fB{_escaped(name)}\fR{value}" for name in option.names)
        yield from _text(option.help)


def _pairs(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name, words in pairs:
        yield ".TP"
        yield rf"\fB{_escaped(name)}\fR"
        yield from _text(words)


def _text(text: str) -> Iterator[str]:
    for line in textwrap.wrap(" ".join(text.split()), _WIDEST, break_long_words=False, break_on_hyphens=False):
        yield _line(line)


def _line(line: str) -> str:
    """A dot or a quote at its beginning would be a request."""
    shown = _escaped(line)
    return rf"\&{shown}" if shown.startswith((".", "'")) else shown


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(char) or (char if char.isascii() else f"\\[u{ord(char):04X}]") for char in text)
