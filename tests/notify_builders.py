"""Alarms, notifications and channels for the tests of notifications."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from record_builders import read, send

from agentguard.model.finding import Finding
from agentguard.model.verdict import Verdict
from agentguard.show.notify.alarm import Alarm, alarm_of
from agentguard.show.notify.gather import Digest, Group
from agentguard.show.notify.settings import Channel, Kind
from agentguard.show.notify.words import Notification, notification


def alarm(number: float = 1, **changes: Any) -> Alarm:
    """Of a leak."""
    found = alarm_of(*send(number, **changes))
    assert found is not None
    return found


def alarm_from(judged: tuple[Finding, Verdict]) -> Alarm:
    found = alarm_of(*judged)
    assert found is not None
    return found


def note(*alarms: Alarm, agent_name: str = "Claude Code", uncounted: int = 0) -> Notification:
    groups = tuple(map(Group, alarms or (alarm(),)))
    return notification(
        Digest(groups, uncounted),
        uid="n-one",
        time_ns=1_769_869_878_000_000_000,
        agent_name=agent_name,
        look="agentguard tui",
    )


def quiet_read(number: float = 1) -> tuple[Finding, Verdict]:
    """What can wait."""
    return read(number)


def command(argv: Sequence[str | Path], **changes: Any) -> Channel:
    return Channel(name="mine", kind=Kind.COMMAND, argv=tuple(map(str, argv)), **changes)


def python(code: str, *words: str | Path, **changes: Any) -> Channel:
    """A program of the user's, in Python."""
    return command([sys.executable, "-S", "-c", code, *words], **changes)


def program(folder: Path, name: str, script: str) -> dict[str, str]:
    """Put a stand-in program on a PATH of its own, before the machine's. Returns the environment."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!{sys.executable} -S\n{script}")
    path.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": os.environ["HOME"]}
