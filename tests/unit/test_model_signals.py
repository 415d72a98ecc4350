"""Every signal has a name, so that an agent may die of any."""

from __future__ import annotations

import os
import signal

import pytest

from agentguard.launch.endings import ending_of
from agentguard.model.signals import signal_name


def test_names() -> None:
    assert signal_name(signal.SIGKILL) == "SIGKILL"
    assert signal_name(signal.SIGRTMIN + 6) == "SIGRTMIN+6"
    assert signal_name(signal.SIGRTMIN) == "SIGRTMIN"
    assert signal_name(500) == "signal 500"


@pytest.mark.parametrize("number", sorted(signal.valid_signals()))
def test_an_ending_by_any_signal_can_be_told(number: int) -> None:
    ending = ending_of(number)
    assert os.WIFSIGNALED(number)
    assert ending.exit_status == 128 + number
    assert ending.reason.startswith(("killed by SIG", "killed by signal "))
