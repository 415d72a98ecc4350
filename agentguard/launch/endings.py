"""What a wait status means, in the words of a session record."""

from __future__ import annotations

import os
from dataclasses import dataclass

from agentguard.model.signals import signal_name


@dataclass(frozen=True, slots=True)
class Ending:
    """Of the agent."""

    exit_status: int
    """128 + N when signal N ended it."""
    reason: str


def ending_of(wait_status: int) -> Ending:
    """From waitpid(2)."""
    if os.WIFSIGNALED(wait_status):
        number = os.WTERMSIG(wait_status)
        return Ending(128 + number, f"killed by {signal_name(number)}")
    return Ending(os.WEXITSTATUS(wait_status), "exited")
