"""The command line: finds the verb, imports it, and turns errors into one line and an exit status.

This module stays light on purpose: `--help` must answer at once, so a verb's module is imported only
when it runs (`agentguard.commands.<verb>`: `add_arguments(parser)` and `run(arguments) -> int`).
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys

from agentguard import __version__
from agentguard.errors import EXIT_ERROR, EXIT_INTERRUPTED, AgentGuardError

VERBS = {
    "run": "start a coding agent under guard; its terminal stays its own",
    "tui": "the dashboard: live sessions, events, flows",
    "report": "write the report of a session (HTML, Markdown, JSON)",
    "events": "print events; --follow prints them as they happen",
    "sessions": "list the sessions and their outcomes",
    "doctor": "say which sensors can run here, proved by a live self-test",
    "verify": "check the hash chain of the audit log",
    "policy": "check, list and explain policies",
    "demo": "see it work: a scripted stand-in agent with planted, synthetic secrets",
}


def build_parser() -> argparse.ArgumentParser:
    """The top level only; the chosen verb adds its own arguments."""
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:<{width}}  {text}" for verb, text in VERBS.items())
    parser = argparse.ArgumentParser(
        prog="agentguard",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="agentguard [--version] [--help] VERB ...",
        description="Which credentials did your coding agent touch, and where did they go?",
        epilog=f"verbs:\n{verbs}\n\nTry `agentguard demo`, then `agentguard run -- claude`. "
        "`agentguard VERB --help` explains a verb.",
    )
    parser.add_argument("--version", action="version", version=f"agentguard {__version__}")
    parser.add_argument("verb", choices=VERBS, metavar="VERB", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def add_home(parser: argparse.ArgumentParser) -> None:
    """`--home`, which every verb takes."""
    parser.add_argument("--home", metavar="DIR", help="folder of the database and the keys (default: ~/.agentguard)")


def main(argv: list[str] | None = None) -> int:
    """Run one verb and return its exit status. Nothing below this prints an error or exits."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = build_parser()
    if not arguments:
        parser.print_help()
        return 0
    chosen = parser.parse_args(arguments[:1])
    module = importlib.import_module(f"agentguard.commands.{chosen.verb}")
    verb_parser = argparse.ArgumentParser(
        prog=f"agentguard {chosen.verb}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_home(verb_parser)
    module.add_arguments(verb_parser)
    parsed = verb_parser.parse_args(arguments[1:])
    try:
        status: int = module.run(parsed)
        sys.stdout.flush()
    except AgentGuardError as error:
        print(f"agentguard: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output (a pager, say) has gone. Python would complain again at exit: give it no pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # Only the errno's own words and the path: an exception's other text may quote what was being handled.
        where = f" {error.filename}" if error.filename else ""
        print(f"agentguard: {error.strerror or type(error).__name__}:{where or ' (no file named)'}", file=sys.stderr)
        return EXIT_ERROR
    return status
