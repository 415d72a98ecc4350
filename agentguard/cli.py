"""The command line: finds the verb, imports it, and turns errors into one line and an exit status.

This module stays light on purpose: `--help` must answer at once, so a verb's module is imported only
when it runs (`agentguard.commands.<verb>`: `add_arguments(parser)` and `run(arguments) -> int`).
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any, NoReturn

from agentguard import __version__
from agentguard.errors import EXIT_ERROR, EXIT_INTERRUPTED, EXIT_OK, AgentGuardError, UsageError
from agentguard.standard_streams import discard_output, fill_closed_streams

_NO_PAGER = "--no-pager"
ALONE = "status"
"""What the program does when it is given no verb."""

VERBS = {
    "status": "where you stand: what runs, what came of it, what to do next; `agentguard` alone says it too",
    "run": "start a coding agent under guard; its terminal stays its own",
    "watch": "watch agents that already run",
    "tui": "the dashboard: live sessions, events, flows",
    "report": "write the report of a session, or of a week: HTML, Markdown, JSON, CSV, SARIF, OCSF",
    "compare": "say what is new in one session against another",
    "events": "print events; --follow prints them as they happen",
    "sessions": "list the sessions and their outcomes",
    "scan": "find credentials in files, in what is staged, in a repository's history",
    "check": "look at how credentials are kept in a project, and say what to put right first",
    "keys": "every credential seen: where it lives, who took it, where it went, what to rotate",
    "doctor": "say which sensors can run here, proved by a live self-test",
    "verify": "check the hash chain of the audit log",
    "purge": "forget old sessions; the audit log stays verifiable",
    "hook": "put the gate into git: no commit or push brings in a credential",
    "schema": "print the JSON Schema of what a verb prints with --format json",
    "policy": "check, list and explain policies",
    "install": "put the command on your PATH, and guard agents by their names",
    "uninstall": "take every trace of it out of your folders again",
    "completions": "print the completions of bash, zsh or fish",
    "man": "print the manual page",
    "notify": "how you are told of what cannot wait: try a channel, list them",
    "demo": "see it work: a scripted stand-in agent with planted, synthetic secrets",
}


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line, like every other error. Sub-parsers are of this class too."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `{self.prog} --help`")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As ever; a word too many is told with what was perhaps meant."""
        found, more = self.parse_known_args(args, namespace)
        if more:
            self.error(
                f"unrecognized arguments: {' '.join(more)}{_meant(more[0].partition('=')[0], self._every_option())}"
            )
        return found

    def format_help(self) -> str:
        """With the examples and exit statuses of the verb, which nobody else has to load."""
        _, *words = self.prog.split()
        if words:
            from agentguard.manual.helping import Formatter, epilog

            self.formatter_class = Formatter
            self.epilog = None
            return f"{super().format_help()}\n{epilog(words, actions=self._subparsers is not None)}\n"
        return super().format_help()

    def _every_option(self) -> list[str]:
        """Of this parser and of its actions."""
        found = list(self._option_string_actions)
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                found += [option for below in action.choices.values() for option in below._option_string_actions]
        return found

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """argparse's own check; its complaint gets what was perhaps meant."""
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += _meant(str(value), map(str, action.choices or ()))
            raise


def _meant(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?` where something known is like the word."""
    import difflib

    found = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean {found[0]}?" if found else ""


def build_parser() -> Parser:
    """The top level only; the chosen verb adds its own arguments."""
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:<{width}}  {text}" for verb, text in VERBS.items())
    parser = Parser(
        prog="agentguard",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="agentguard [--version] [--help] [--no-pager] VERB ...",
        description="Which credentials did your coding agent touch, and where did they go?",
        epilog=f"verbs:\n{verbs}\n\nTry `agentguard demo`, then `agentguard run -- claude`. "
        "`agentguard VERB --help` explains a verb.",
    )
    parser.add_argument("--version", action="version", version=f"agentguard {__version__}")
    parser.add_argument(_NO_PAGER, action="store_true", help="print long text as it is, though this is a terminal")
    parser.add_argument("verb", metavar="VERB", nargs="?", default=ALONE, help=argparse.SUPPRESS)
    return parser


def add_home(parser: argparse.ArgumentParser) -> None:
    """`--home`, which every verb takes."""
    parser.add_argument("--home", metavar="DIR", help="folder of the database and the keys (default: ~/.agentguard)")


def main(argv: list[str] | None = None) -> int:
    """Run one verb and return its exit status. Nothing below this prints an error or exits."""
    fill_closed_streams()
    try:
        status = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except AgentGuardError as error:
        _tell(str(error))
        return error.exit_status
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        discard_output()  # A pager, say, that was left.
        return 0
    except OSError as error:
        # Only the errno's own words and the path: an exception's other text may quote what was being handled.
        where = f" {error.filename}" if error.filename else ""
        _tell(f"{error.strerror or type(error).__name__}:{where or ' (no file named)'}")
        discard_output()
        return EXIT_ERROR
    return status


def verb_parser(verb: str) -> Parser:
    """The parser of one verb, whose module is imported for it.

    Raises:
        UsageError: there is no such verb.
    """
    if verb not in VERBS:
        guess = _meant(verb, VERBS)
        raise UsageError(f"there is no verb {verb!r}{guess or '; the verbs are ' + ', '.join(VERBS)}")
    module = _module(verb)
    parser = Parser(prog=f"agentguard {verb}", description=module.__doc__)
    add_home(parser)
    module.add_arguments(parser)
    return parser


def _verb(arguments: list[str]) -> str:
    """The first word. Raises UsageError for an option that is none of the program's own."""
    parser = build_parser()
    found, more = parser.parse_known_args(arguments[:1])
    if more:
        option = more[0].partition("=")[0]
        verb = next((word for word in arguments if word in VERBS), None)
        if verb and option in verb_parser(verb)._every_option():
            parser.error(f"{option} belongs after the verb: `agentguard {verb} {option} ...`")
        parser.error(f"there is no option {option}{_meant(option, parser._every_option())}")
    return str(found.verb)


def _module(verb: str) -> ModuleType:
    return importlib.import_module(f"agentguard.commands.{verb}")


def _tell(what: str) -> None:
    """An error, whose text may hold a name that somebody else chose."""
    from agentguard.show.text import safe

    print(f"agentguard: {chr(10).join(map(safe, what.split(chr(10))))}", file=sys.stderr)


def _run(arguments: list[str]) -> int:
    """Through a pager, where someone reads it."""
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:2], "--help"]
    wanted = arguments
    if arguments[:1] != ["run"]:  # The agent's own words are not ours.
        wanted = [word for word in arguments if word != _NO_PAGER]
    if wanted == arguments and arguments and sys.stdout.isatty():
        from agentguard.pager import Pager, command_of, is_paged

        words = command_of(os.environ) if is_paged(arguments) else []
        if words:
            with Pager(words):
                return _run_verb(arguments)
            return EXIT_OK  # The pager was left before the end.
    return _run_verb(wanted)


def _run_verb(arguments: list[str]) -> int:
    try:
        verb = _verb(arguments)
        parsed = verb_parser(verb).parse_args(arguments[1:])
    except SystemExit as end:  # `--help` and `--version`: what they printed is still to be flushed.
        return int(end.code or 0)
    status: int = _module(verb).run(parsed)
    return status
