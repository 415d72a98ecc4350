"""A command of the user's: the notification as one JSON object on its standard input, and nothing in its arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping

from agentguard.show.notify.channels import process
from agentguard.show.notify.channels.interface import ChannelError, clean_environment
from agentguard.show.notify.settings import Channel
from agentguard.show.notify.words import Notification


def deliver(channel: Channel, note: Notification, environ: Mapping[str, str]) -> str:
    """Raises ChannelError when it cannot be started, does not end in time, or ends with another status than 0."""
    ended = process.run(
        channel.argv,
        stdin=json.dumps(note.body).encode() + b"\n",
        environ=clean_environment(environ),
        seconds=channel.timeout_seconds,
    )
    if ended.status != 0:
        raise ChannelError(ended.text)
    return ended.text
