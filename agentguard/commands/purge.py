"""Forget old sessions: their events, their process trees, their reports. The audit log stays verifiable.

Of a purged session its seal stays, in a register that nobody without the key can change: `agentguard verify` says up to
when sessions were purged, and still finds one that was removed by hand. Sessions that run stay, whatever their age. The
inventory of keys (`agentguard keys`) stays too: that a key leaked does not grow old. --forget-keys takes out of it what
nobody has to think of any more. The room is given back to the disk.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from agentguard.command_name import command
from agentguard.config import Home, home_path, open_home
from agentguard.errors import EXIT_OK, AgentGuardError, UsageError
from agentguard.upgrade import bring_up_to_date

if TYPE_CHECKING:
    from agentguard.record.purge import Purgeable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--older-than", metavar="AGE", required=True, help="sessions that ended longer ago: 30d, 12h, 8w, 6mo, 1y"
    )
    parser.add_argument(
        "--forget-keys",
        action="store_true",
        help="also keys last seen before then, unless they leaked, were exposed or committed, or are marked as rotated",
    )
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")
    parser.add_argument("--dry-run", "-n", action="store_true", help="say what would go, and remove nothing")


def run(arguments: argparse.Namespace) -> int:
    """Raises UsageError for an age that is none or where nobody can be asked, StoreError, ConfigError."""
    from agentguard.record.purge import forget_credentials, purgeable
    from agentguard.show.ages import age_ns
    from agentguard.show.phrases import plural

    before_ns = time.time_ns() - age_ns(arguments.older_than, "--older-than")
    home = Home(home_path(arguments.home))
    old = purgeable(home, before_ns)
    for line in _what_goes(home, old, keys=arguments.forget_keys):
        print(line)
    if arguments.dry_run or not home.database.exists():
        return EXIT_OK
    if old.sessions or arguments.forget_keys:
        if not arguments.yes:
            _ask()
        home = open_home(home.root)
        bring_up_to_date(home)
        _purge(home, old)
        if arguments.forget_keys:
            print(f"✓ {plural(forget_credentials(home, before_ns), 'key')} forgotten")
    _give_back(home)
    return EXIT_OK


def _what_goes(home: Home, old: Purgeable, *, keys: bool) -> list[str]:
    from agentguard.show.phrases import day_and_time, plural

    day = day_and_time(old.before_ns)[:16]
    if not old.sessions:
        lines = [f"No session ended before {day}."]
    else:
        reports = sum(path.stem in {one.uid for one in old.sessions} for path in home.reports.glob("*"))
        oldest = day_and_time(min(one.start_ns for one in old.sessions))[:10]
        written = f" and {plural(reports, 'report')}" if reports else ""
        what = f"{plural(len(old.sessions), 'session')} with {plural(old.events, 'event')}{written}"
        lines = [f"{what} from before {day} would go, the oldest of {oldest}."]
    if old.still_open:
        lines.append(f"{plural(old.still_open, 'session')} from before then: not ended, or its guard died; kept.")
    kept = "keeps what leaked, was exposed or committed, or is marked as rotated" if keys else "stays"
    return [*lines, f"The inventory of keys {kept}."]


def _ask() -> None:
    from agentguard.show.ask import can_ask, confirmed

    if not can_ask():
        raise UsageError("nobody can be asked here; look with --dry-run, then add --yes")
    if not confirmed("Purge?", default=False):
        raise AgentGuardError("nothing was purged")


def _purge(home: Home, old: Purgeable) -> None:
    from agentguard.record.purge import purge
    from agentguard.show.phrases import plural
    from agentguard.show.progress import ProgressLine

    done = 0
    with ProgressLine() as progress:

        def tell(events: int) -> None:
            nonlocal done
            done += events
            progress.tell(min(done, old.events), old.events, f"{done:,} events purged")

        purge(home, old, tell)
    print(f"✓ {plural(len(old.sessions), 'session')} purged; `{command()} verify` knows them")


def _give_back(home: Home) -> None:
    """Room that nothing fills any more, from this time or before."""
    from agentguard.record.space import GivenBack, give_back, space
    from agentguard.record.standing import standing
    from agentguard.show.progress import ProgressLine

    before = space(home.database)
    if before is None or not before.free:
        return
    alone = not any(one.guarded for one in standing(home.database).open)
    with ProgressLine() as progress:

        def tell(left: int) -> None:
            progress.tell(max(0, before.free - left), before.free, "giving room back to the disk")

        what = give_back(home, alone=alone, tell=tell)
    after = space(home.database)
    if what is GivenBack.DONE and after is not None:
        print(f"✓ database {before.used / 1e6:.1f} MB before, {after.used / 1e6:.1f} MB now")
    elif what is not GivenBack.DONE:
        print(f"! {before.free / 1e6:.1f} MB are not given back to the disk: {what}", file=sys.stderr)
