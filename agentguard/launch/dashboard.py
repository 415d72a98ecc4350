"""`run --dashboard`: the dashboard in a pane of tmux beside the agent's.

The pane is started by tmux's server, so it is no part of the session's process tree. It is opened before the agent
starts: the agent finds its terminal in the size that it keeps.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agentguard.command_name import command, interpreter_options
from agentguard.config import Home, home_option
from agentguard.errors import AgentGuardError

LEAST_COLUMNS, LEAST_ROWS = 80, 24
"""Of the dashboard."""
_AGENT_COLUMNS, _AGENT_ROWS = 100, 23
"""What the agent keeps: some draw a box, and need the width."""
_SECONDS = 3.0
_HANDED_ON = ("HOME", "PYTHONPATH", "LANG", "LC_ALL", "LC_CTYPE", "COLORTERM", "NO_COLOR", "TZ")
"""tmux's server has an environment of its own, as old as itself."""


class DashboardError(AgentGuardError):
    """It was not opened, and why; the session goes on without it."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A pane with the dashboard in it."""

    pane: str
    """tmux's id of it: `%7`."""
    said: str
    """What the user should know, in one line; "" when it is in sight."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where there is room for it."""

    words: tuple[str, ...]
    in_sight: bool


def open_dashboard(home: Path, session: str, environ: Mapping[str, str]) -> Opened:
    """Beside the pane we are in; the focus stays where it is.

    Args:
        session: uid of the session that is about to begin.
        environ: of the terminal we run in.

    Raises:
        DashboardError: this is no tmux, or it refuses.
    """
    tmux = shutil.which("tmux", path=environ.get("PATH"))
    pane = environ.get("TMUX_PANE", "")
    if not environ.get("TMUX") or not pane or tmux is None:
        look = f"{command()} tui{home_option(Home(home))}"
        raise DashboardError(f"--dashboard needs tmux around it; open another terminal and type `{look}` there")
    place = _place(*_look(tmux, pane, environ), pane)
    dashboard = _dashboard(home, session, environ)
    said = _ask([tmux, *place.words, "-d", "-P", "-F", "#{pane_id} #{window_index}", *dashboard], environ)
    opened, _, window = said.partition(" ")
    said = "" if place.in_sight else f"this pane is too small to share; the dashboard is in window {window} of tmux"
    return Opened(opened, said)


def close_dashboard(pane: str, environ: Mapping[str, str]) -> None:
    """The session did not begin: there is nothing to look at."""
    tmux = shutil.which("tmux", path=environ.get("PATH"))
    if pane and tmux is not None:
        with contextlib.suppress(DashboardError):
            _ask([tmux, "kill-pane", "-t", pane], environ)


def _place(width: int, height: int, window: str, pane: str) -> _Place:
    if width > LEAST_COLUMNS + _AGENT_COLUMNS:
        return _Place(("split-window", "-t", pane, "-h", "-l", str(max(LEAST_COLUMNS, width * 2 // 5))), True)
    if height > LEAST_ROWS + _AGENT_ROWS:
        return _Place(("split-window", "-t", pane, "-v", "-l", str(max(LEAST_ROWS, height * 2 // 5))), True)
    return _Place(("new-window", "-t", window, "-a", "-n", "agentguard"), False)


def _look(tmux: str, pane: str, environ: Mapping[str, str]) -> tuple[int, int, str]:
    """Columns and rows of our pane, and its window."""
    asked = [tmux, "display-message", "-p", "-t", pane, "#{pane_width} #{pane_height} #{window_id}"]
    try:
        width, height, window = _ask(asked, environ).split()
        return int(width), int(height), window
    except ValueError:
        raise DashboardError("the dashboard was not opened: tmux does not say how large this pane is") from None


def _dashboard(home: Path, session: str, environ: Mapping[str, str]) -> list[str]:
    """What runs in the pane. Words of their own: tmux starts it without a shell, and expands nothing in them.

    No folder is given to start in: tmux would expand `#(...)` in its name. And -P: nothing is imported from there.
    """
    variables = [f"{name}={environ[name]}" for name in _HANDED_ON if name in environ]
    program = [sys.executable, "-P", *interpreter_options(), "-m", "agentguard"]
    words = ["env", *variables, *program, "tui", "--home", str(home), "--session", session, "--leave-when-clean"]
    return [_word(word) for word in words]


def _word(word: str) -> str:
    """tmux takes a semicolon at the end of a word for the end of a command."""
    return f"{word[:-1]}\\;" if word.endswith(";") else word


def _ask(argv: Sequence[str], environ: Mapping[str, str]) -> str:
    """What tmux prints."""
    try:
        done = subprocess.run(
            argv, env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise DashboardError(f"the dashboard was not opened: tmux did not answer within {_SECONDS:g} s") from None
    except OSError as error:
        raise DashboardError(f"the dashboard was not opened: tmux cannot be started: {error.strerror}") from None
    if done.returncode != 0:
        why = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise DashboardError(f"the dashboard was not opened: tmux refuses: {why or done.returncode}")
    return done.stdout.decode(errors="replace").strip()
