"""What the supervisor and the process that delivers say to each other: a line of JSON each."""

from __future__ import annotations

import json
from dataclasses import dataclass

import msgspec

from agentguard.show.notify.settings import Channel
from agentguard.show.notify.words import Notification


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The first line."""

    channels: tuple[Channel, ...]
    """As the settings were before the agent started: it could change the file."""
    told: str
    """Path of the file of results (`agentguard.show.notify.told`)."""


def encode(message: Start | Notification) -> bytes:
    """With its end of line. Names may hold bytes that are no Unicode, which msgspec's own encoder refuses."""
    return json.dumps(msgspec.to_builtins(message), separators=(",", ":")).encode("ascii") + b"\n"


def start_from(line: bytes) -> Start:
    """Raises ValueError when it is none."""
    return msgspec.convert(json.loads(line), Start)


def notification_from(line: bytes) -> Notification:
    """Raises ValueError when it is none."""
    return msgspec.convert(json.loads(line), Notification)
