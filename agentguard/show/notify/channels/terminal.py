"""A bell, and a message that the terminal itself shows (OSC 9), in one write.

Never on a terminal that an agent is using: it writes there by itself, and two writers cut each other's escape
sequences in half. So this is for `watch`, for the dashboard, and for the agent's terminal once the agent has ended.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping

from agentguard.show.text import safe, shortened

BELL = "\a"
_ESCAPE = "\x1b"
_ST = "\x1b\\"
_MUTE = frozenset({"", "dumb", "linux", "unknown"})
"""Terminals that would print an operating system command, or that we know nothing of."""
_LONGEST = 200


def sequence(title: str, environ: Mapping[str, str]) -> str:
    """What to write: a bell, and the title as far as this terminal has a way to show it.

    OSC 9 (iTerm2, kitty, WezTerm, Ghostty, foot, ConEmu); OSC 777 for VTE and rxvt. Inside tmux it is wrapped, so that
    it reaches the terminal where `allow-passthrough` is on; the bell goes by tmux's own rules.
    """
    term = environ.get("TERM", "")
    if term in _MUTE:
        return BELL if term in ("linux", "unknown") else ""
    text = shortened(safe(title), _LONGEST)
    if environ.get("TMUX"):
        return BELL + _through_tmux(_osc_9(text))
    if term.startswith(("screen", "tmux")):  # GNU screen, or tmux over ssh: there is no safe way to wrap it
        return BELL
    if environ.get("VTE_VERSION") or term.startswith("rxvt"):
        return f"{BELL}{_ESCAPE}]777;notify;AgentGuard;{text.replace(';', ',')}{_ST}"
    return BELL + _osc_9(text)


def ring(descriptor: int, text: str) -> bool:
    """Write to a terminal, at once, if it is ours at this moment. Whether it was written."""
    with contextlib.suppress(OSError):
        if os.tcgetpgrp(descriptor) == os.getpgrp():
            os.write(descriptor, text.encode("utf-8", "replace"))
            return True
    return False


def _osc_9(text: str) -> str:
    """A text that begins with a digit and a semicolon would be another command of ConEmu's (`9;4`: progress)."""
    return f"{_ESCAPE}]9;AgentGuard: {text}{_ST}"


def _through_tmux(inner: str) -> str:
    return f"{_ESCAPE}Ptmux;{inner.replace(_ESCAPE, _ESCAPE * 2)}{_ST}"
