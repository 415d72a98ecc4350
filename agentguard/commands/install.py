"""Put `agentguard` on your PATH, its completions and manual page into your folders, and guard agents by their names.

Everything goes into your own folders, and `agentguard uninstall` takes every trace of it out again. Nothing is done as
another user. On request the names of the agents that are found here (`claude`, `codex`, ...) start them under guard in
your interactive shells; scripts are not touched by it. Doing it again brings it up to date.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agentguard.config import Home, folder_of_user, home_option, home_path, open_home
from agentguard.errors import EXIT_ERROR, EXIT_OK, UsageError

if TYPE_CHECKING:
    from agentguard.setup.files import Change
    from agentguard.setup.plan import Plan
    from agentguard.setup.shells import Folders

SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    names = parser.add_mutually_exclusive_group()
    names.add_argument("--aliases", metavar="NAMES", help="start these agents guarded, as `claude,codex`")
    names.add_argument("--no-aliases", action="store_true", help="none; those that were set up are taken out")
    parser.add_argument("--shells", metavar="NAMES", help="of bash, zsh and fish (default: those that you use)")
    parser.add_argument("--bin-dir", metavar="DIR", type=Path, help="where the command goes (default: ~/.local/bin)")
    parser.add_argument("--yes", "-y", action="store_true", help="ask nothing; guard every agent that is found")
    parser.add_argument("--dry-run", "-n", action="store_true", help="show what would be written, and write nothing")


def run(arguments: argparse.Namespace) -> int:
    """Raises UsageError, ConfigError."""
    from agentguard.setup.plan import Wish, carry_out, plan_install
    from agentguard.setup.program import own_command
    from agentguard.setup.shells import Folders, shells_of

    path = home_path(arguments.home)
    folders = Folders.of(os.environ, folder_of_user())
    shells = _listed(arguments.shells, "--shells") if arguments.shells is not None else shells_of(folders, os.environ)
    if unknown := next((name for name in shells if name not in SHELLS), None):
        raise UsageError(f"--shells takes {', '.join(SHELLS)}, not {unknown!r}")
    wish = Wish(
        home=path,
        home_option=home_option(Home(path)),
        folders=folders,
        environ=os.environ,
        program=own_command(),
        shells=shells,
        aliases=_aliases(arguments, path),
        bin_dir=arguments.bin_dir,
        own_files=_own_files(folders, shells),
    )
    plan = plan_install(wish)
    if arguments.dry_run:
        _show(plan)
        return EXIT_OK
    open_home(path)
    carry_out(plan, path, _tell, receipt_first=True)
    return _close(plan)


def _own_files(folders: Folders, shells: list[str]) -> dict[Path, bytes]:
    """Completions and the manual page, each where the user's programs look for it."""
    from agentguard.commands import completions, man

    found = {folders.completions(shell): completions.script(shell).encode() for shell in shells}
    return {**found, folders.manual: man.page().encode()}


def _aliases(arguments: argparse.Namespace, home: Path) -> list[str]:
    """Names of agents. Raises UsageError for one that is not known or not there."""
    from agentguard.attribute.agents import load_agents
    from agentguard.paths import policies_dir
    from agentguard.setup.plan import agents_there
    from agentguard.setup.receipt import load_receipt

    if arguments.no_aliases:
        return []
    known = [name for agent in load_agents(policies_dir() / "agents.yaml").agents for name in agent.commands]
    there = agents_there(known, os.environ)
    if arguments.aliases is not None:
        wanted = _listed(arguments.aliases, "--aliases")
        for name in wanted:
            if name not in known:
                raise UsageError(f"--aliases: {name!r} is no agent; known are {', '.join(known)}")
            if name not in there:
                raise UsageError(f"--aliases: {name} was not found on the PATH; install it first")
        return wanted
    before = [name for name in load_receipt(home).aliases if name in there]
    if arguments.yes:
        return list(there)
    if before or not there:
        return before
    return _asked(there)


def _asked(there: dict[str, str]) -> list[str]:
    """Which of them the user wants; none where nobody can be asked."""
    from agentguard.show.ask import can_ask, confirmed
    from agentguard.show.text import safe

    if not can_ask():
        print(f"agents found: {', '.join(there)}; --yes or --aliases starts them guarded", file=sys.stderr)
        return []
    return [name for name, path in there.items() if confirmed(f"Start {name} ({safe(path)}) guarded?", default=True)]


def _listed(text: str, option: str) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise UsageError(f"{option} takes names with commas between them; --no-aliases is for none")
    return names


def _show(plan: Plan) -> None:
    """What would be written: into the user's files word for word. Completions and the manual page by name and length,
    for `completions` and `man` print them."""
    from agentguard.setup.files import FileChange
    from agentguard.show.text import safe

    for change in plan.changes:
        if isinstance(change, FileChange) and str(change.path) in plan.receipt.files:
            print(safe(change.brief()))
            continue
        for line in change.diff():
            print(safe(line))
    if not plan.changes:
        print("nothing would be changed")
    _notes(plan)


def _tell(change: Change) -> None:
    from agentguard.show.text import safe

    print(f"✓ {safe(str(change.path))}")


def _notes(plan: Plan) -> None:
    from agentguard.show.text import safe

    for note in plan.notes:
        print(f"! {safe(note)}")
    for path, lines in plan.by_hand:
        print(f"✕ {safe(str(path))} cannot be written; put these lines into it yourself:")
        for line in lines:
            print(f"    {safe(line)}")


def _close(plan: Plan) -> int:
    if not plan.changes:
        print("✓ everything stands already")
    _notes(plan)
    if plan.receipt.aliases:
        print(f"From the next terminal on, {', '.join(plan.receipt.aliases)} start guarded.")
    print("Next: `agentguard demo`, or `agentguard doctor`. To take it out again: agentguard uninstall")
    return EXIT_ERROR if plan.by_hand else EXIT_OK
