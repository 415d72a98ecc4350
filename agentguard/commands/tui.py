"""The dashboard: live sessions, events and flows, in the terminal.

It may be opened and closed at any time, in another terminal than the agent's. It reads what is recorded; it writes
only what you tell it to: marks of what you have seen, rules of your policy, reports.
"""

from __future__ import annotations

import argparse
import os
import sys

from agentguard.config import folder_of_user, home_path
from agentguard.errors import AgentGuardError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--session", metavar="S", default="last", help="uid of a session, a beginning of one, or `last` (default)"
    )
    parser.add_argument(
        "--leave-when-clean",
        action="store_true",
        help="leave when that session has ended clean; for anything else it stays (as `run --dashboard` opens it)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Raises AgentGuardError when there is no terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise AgentGuardError("the dashboard needs a terminal; in a pipe use `agentguard events --follow`")
    if os.environ.get("TERM") == "dumb":
        raise AgentGuardError("this terminal (TERM=dumb) cannot show it; use `agentguard events --follow`")
    from agentguard.config import Home
    from agentguard.dashboard import dashboard_actions
    from agentguard.show.notify.settings import load_settings
    from agentguard.show.tui.app import AgentGuardApp
    from agentguard.show.tui.attention import Attention
    from agentguard.show.tui.page import Desk

    home = Home(home_path(arguments.home))
    desk = Desk(home=home, actions=dashboard_actions(home), user_home=str(folder_of_user()))
    app = AgentGuardApp(
        desk,
        session=arguments.session,
        leave_when_clean=arguments.leave_when_clean,
        attention=Attention(os.environ) if load_settings(home.notify).terminal else None,
    )
    app.run()
    return app.return_code or 0
