"""Watch agents that already run. Nothing is asked of them, and nothing about them changes.

As root (or with CAP_SYS_ADMIN) every open of a secret file is held until its process is identified. Without it,
readers are looked for after the open: short ones are known by their command line only, or missed and told as a gap.
What an agent sends is not seen: start it with `agentguard run` for that.
"""

from __future__ import annotations

import argparse
import sys

from agentguard.config import home_path, open_home
from agentguard.errors import UsageError
from agentguard.upgrade import bring_up_to_date


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--pid", metavar="PID", type=int, action="append", default=[], help="this process and its tree; may be repeated"
    )
    parser.add_argument("--agent", metavar="ID", help="only this agent (claude, codex, ...)")
    parser.add_argument(
        "--under", metavar="PID", type=int, help="look for agents among the descendants of this process"
    )
    parser.add_argument(
        "--hold",
        action="store_true",
        help="without root: hold openers of your own files with leases until they are identified. A program that opens "
        "such a file without waiting (O_NONBLOCK: `grep -r`, `dd iflag=nonblock`) gets an error instead (EAGAIN)",
    )
    parser.add_argument(
        "--notify",
        metavar="CHANNEL",
        action="append",
        help="tell what needs a person now by this channel, instead of those of notify.yaml; may be repeated",
    )


def run(arguments: argparse.Namespace) -> int:
    """Raises AgentGuardError for an unknown agent, and for a process that does not exist or is another user's."""
    if sys.platform != "linux":
        raise UsageError("watch needs Linux; start the agent with `agentguard run` instead")
    if arguments.pid and (arguments.agent or arguments.under):
        raise UsageError("--pid names the process; --agent and --under are for looking")
    from agentguard.launch.watcher import Watcher, WatchRequest
    from agentguard.show.notify.settings import settings_of

    home = open_home(home_path(arguments.home))
    bring_up_to_date(home)
    request = WatchRequest(
        home=home,
        pids=tuple(arguments.pid),
        agent=arguments.agent,
        under=arguments.under,
        hold=arguments.hold,
        notify=settings_of(home.notify, arguments.notify),
    )
    return Watcher(request).run()
