"""Whether a channel will serve when it is needed, as far as that can be said without using it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from agentguard.show.notify.channels.desktop import why_missing
from agentguard.show.notify.channels.interface import ChannelError
from agentguard.show.notify.channels.signing import signing_key
from agentguard.show.notify.settings import Channel, Kind
from agentguard.show.notify.told import Result
from agentguard.show.phrases import day_and_time
from agentguard.show.text import safe


def problem_of(channel: Channel, environ: Mapping[str, str], last: Result | None) -> str:
    """What stands in its way, or how it failed the last time; "" when nothing is known against it."""
    problem = _unready(channel, environ)
    if not problem and last is not None and not last.delivered:
        problem = f"not delivered {day_and_time(last.time_ns)}: {last.text}"
    return safe(problem)


def _unready(channel: Channel, environ: Mapping[str, str]) -> str:
    if channel.kind is Kind.DESKTOP:
        return why_missing(environ)
    if channel.kind is Kind.COMMAND and not shutil.which(channel.argv[0], path=environ.get("PATH")):
        return f"{channel.argv[0]} was not found"
    if channel.secret.startswith("file:"):  # a keyring might ask its user
        try:
            signing_key(channel.secret, environ)
        except ChannelError as error:
            return str(error)
    return ""
