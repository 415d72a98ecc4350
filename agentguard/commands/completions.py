"""Print the completions of a shell: verbs, options, their choices, sessions and fingerprints from the database.

`agentguard install` puts them where your shells find them.
"""

from __future__ import annotations

import argparse

from agentguard.config import Home, home_path
from agentguard.errors import UsageError

SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", metavar="SHELL", nargs="?", choices=SHELLS, help=f"one of {', '.join(SHELLS)}")
    # For the scripts themselves: values that only the database knows, each with what it is behind a tab.
    parser.add_argument("--values", choices=("sessions", "fingerprints"), help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Raises UsageError when no shell is named."""
    if arguments.values is not None:
        from agentguard.manual.values import fingerprint_values, session_values

        values = session_values if arguments.values == "sessions" else fingerprint_values
        for value, words in values(Home(home_path(arguments.home)).database):
            print(f"{value}\t{words}")
        return 0
    if arguments.shell is None:
        raise UsageError(f"name a shell: {', '.join(SHELLS)}")
    print(script(arguments.shell), end="")
    return 0


def script(shell: str) -> str:
    """The completions of one of `SHELLS`."""
    from agentguard.manual import bash, fish, zsh
    from agentguard.manual.spec import commands

    make = {"bash": bash.script, "zsh": zsh.script, "fish": fish.script}[shell]
    return make(commands())
