"""Print the manual page, agentguard(1), as roff. `agentguard install` puts it where `man agentguard` finds it."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(_arguments: argparse.Namespace) -> int:
    print(page(), end="")
    return 0


def page() -> str:
    """The whole of it."""
    from agentguard.manual import roff
    from agentguard.manual.spec import commands

    return roff.page(commands())
