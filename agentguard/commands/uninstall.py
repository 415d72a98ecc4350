"""Take every trace of AgentGuard out of your folders: what `install` put there, git hooks, and what was compiled.

The start files of your shells are again, byte for byte, what they were, but for what you have written into them since.
The home folder with the database, the keys, your policy and the reports stays, unless --purge-data is given. Everything
that goes is listed first. While a session runs nothing is removed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from agentguard.command_name import command
from agentguard.config import Home, folder_of_user, home_path
from agentguard.errors import EXIT_ERROR, EXIT_OK, AgentGuardError, ConfigError, StoreError, UsageError

if TYPE_CHECKING:
    from agentguard.hooks.place import HookPlace
    from agentguard.setup.plan import Plan
    from agentguard.setup.receipt import Receipt

SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--purge-data", action="store_true", help="also the database, the keys, the policy, the reports"
    )
    parser.add_argument("--force", action="store_true", help="also git hooks that someone has edited since")
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")
    parser.add_argument("--dry-run", "-n", action="store_true", help="list what would go, and remove nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Removal:
    """Everything that goes."""

    home: Home
    plan: Plan
    gates: tuple[HookPlace, ...]
    """Repositories with the git gate in them."""
    trees: tuple[Path, ...]
    """Files and folders that are removed whole."""

    @property
    def nothing(self) -> bool:
        return not (self.plan.changes or self.gates or self.trees)


def run(arguments: argparse.Namespace) -> int:
    """Raises AgentGuardError while a session runs, UsageError where nobody can be asked, ConfigError."""
    home = Home(home_path(arguments.home))
    _refuse_while_running(home)
    removal = _removal(home, purge=arguments.purge_data)
    if removal.nothing:
        print("nothing of AgentGuard's is here")
        return EXIT_OK
    _list(removal)
    if arguments.dry_run:
        return EXIT_OK
    if not arguments.yes:
        _ask()
    failed = _remove(removal, force=arguments.force)
    print("The program itself goes with its folder, or with `pip uninstall agentguard`.")
    return EXIT_ERROR if failed or removal.plan.notes else EXIT_OK


def _refuse_while_running(home: Home) -> None:
    from agentguard.record.standing import standing
    from agentguard.show.text import safe

    running = []
    with contextlib.suppress(StoreError):  # Nothing can be recorded in a database that cannot be read.
        running = [one.session for one in standing(home.database).open if one.guarded]
    if running:
        raise AgentGuardError(
            f"{safe(running[0].agent_name)} runs under guard (session {running[0].uid}); end it first, then uninstall"
        )


def _removal(home: Home, *, purge: bool) -> _Removal:
    from agentguard.setup.data import caches, kept
    from agentguard.setup.plan import plan_uninstall
    from agentguard.setup.receipt import load_receipt
    from agentguard.setup.shells import Folders

    user_home = folder_of_user()
    receipt = load_receipt(home.root)
    plan = plan_uninstall(receipt, Folders.of(os.environ, user_home), SHELLS)
    trees = [*caches(home, os.environ, user_home), *(kept(home) if purge else ())]
    return _Removal(home=home, plan=plan, gates=tuple(_gates(receipt)), trees=tuple(trees))


def _gates(receipt: Receipt) -> Iterator[HookPlace]:
    """Where the git gate still stands. A repository that is gone took its hooks with it."""
    from agentguard.hooks.place import find_place
    from agentguard.hooks.status import HookState, status

    for top in receipt.repositories:
        with contextlib.suppress(ConfigError):
            place = find_place(Path(top))
            others = (HookState.MISSING, HookState.FOREIGN)
            if place.launcher.exists() or any(one.state not in others for one in status(place)):
                yield place


def _list(removal: _Removal) -> None:
    from agentguard.setup.data import kept
    from agentguard.setup.files import FileChange
    from agentguard.show.text import safe

    print("This goes:")
    for change in removal.plan.changes:
        ours = isinstance(change, FileChange) and change.after is not None
        print(f"  {safe(str(change.path))}{': the lines of `agentguard install` in it' if ours else ''}")
    for place in removal.gates:
        print(f"  {safe(str(place.top))}: the git gate")
    for path in removal.trees:
        print(f"  {safe(str(path))}{'/ and all that is in it' if path.is_dir() else ''}")
    for note in removal.plan.notes:
        print(f"! {safe(note)}")
    if stays := [path.name for path in kept(removal.home) if path not in removal.trees]:
        print(f"This stays in {safe(str(removal.home.root))}, and goes with --purge-data: {', '.join(stays)}")


def _ask() -> None:
    from agentguard.show.ask import can_ask, confirmed

    if not can_ask():
        raise UsageError(f"nobody can be asked here; see `{command()} uninstall --dry-run`, then add --yes")
    if not confirmed("Remove it?", default=False):
        raise AgentGuardError("nothing was removed")


def _remove(removal: _Removal, *, force: bool) -> bool:
    """Whether something is left."""
    from agentguard.hooks.install import uninstall
    from agentguard.setup.data import remove
    from agentguard.setup.plan import carry_out
    from agentguard.show.text import safe

    left = []
    for place in removal.gates:
        try:
            uninstall(place, even_changed=force)
            print(f"✓ {safe(str(place.top))}")
        except ConfigError as error:
            left.append(str(place.top))
            print(f"agentguard: {error}", file=sys.stderr)
    # What could not be removed stays on the receipt, for another time.
    plan = replace(removal.plan, receipt=replace(removal.plan.receipt, repositories=tuple(left)))
    carry_out(plan, removal.home.root, lambda change: print(f"✓ {safe(str(change.path))}"), receipt_first=False)
    for path in removal.trees:
        remove(path)
        print(f"✓ {safe(str(path))}")
    with contextlib.suppress(OSError):
        removal.home.root.rmdir()  # Only where nothing is left in it.
    return bool(left)
