"""One notification by one channel: the one place that knows which module is which kind."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from agentguard.show.notify.channels import command, desktop, webhook
from agentguard.show.notify.channels.interface import ChannelError
from agentguard.show.notify.settings import Channel, Kind
from agentguard.show.notify.told import Result
from agentguard.show.notify.words import Notification

Deliver = Callable[[Channel, Notification, Mapping[str, str]], str]
_BY_KIND: Mapping[Kind, Deliver] = {
    Kind.COMMAND: command.deliver,
    Kind.DESKTOP: desktop.deliver,
    Kind.WEBHOOK: webhook.deliver,
}
"""A terminal is written to by the process that owns it."""


def deliver(channel: Channel, note: Notification, environ: Mapping[str, str]) -> Result:
    """Never raises: what went wrong is the result."""
    try:
        delivered, text = True, _BY_KIND[channel.kind](channel, note, environ)
    except ChannelError as error:
        delivered, text = False, str(error)
    except Exception as error:  # of a library; its text may quote anything
        delivered, text = False, f"it failed: {type(error).__name__}"
    return Result(channel.name, time.time_ns(), delivered, text)
