"""The desktop: notify-send where there is a session bus, osascript on macOS. Started without a shell, text as words."""

from __future__ import annotations

import html
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from agentguard.show.notify.channels import process
from agentguard.show.notify.channels.interface import ChannelError, ChannelMissingError, clean_environment
from agentguard.show.notify.settings import Channel, Kind
from agentguard.show.notify.words import Notification

_APPLE_SCRIPT = (
    *("-e", "on run words"),
    *("-e", "display notification (item 2 of words) with title (item 1 of words)"),
    *("-e", "end run"),
)
"""The text comes as arguments of the script: no character of it can become part of the script."""


def deliver(channel: Channel, note: Notification, environ: Mapping[str, str], *, platform: str = sys.platform) -> str:
    """Raises:
    ChannelMissingError: there is no desktop to show it on.
    ChannelError: the desktop refuses.
    """
    missing = why_missing(environ, platform=platform)
    if missing:
        raise ChannelMissingError(missing)
    argv = apple_words(note) if platform == "darwin" else linux_words(note)
    ended = process.run(argv, stdin=b"", environ=clean_environment(environ), seconds=channel.timeout_seconds)
    if ended.status != 0:
        raise ChannelError(f"{argv[0]}: {ended.text}")
    return f"shown by {argv[0]}"


def why_missing(environ: Mapping[str, str], *, platform: str = sys.platform) -> str:
    """ "" when there seems to be a desktop."""
    if platform == "darwin":
        return "" if shutil.which("osascript", path=environ.get("PATH")) else "osascript was not found"
    if not shutil.which("notify-send", path=environ.get("PATH")):
        return "notify-send was not found; install it (libnotify-bin, libnotify)"
    if not environ.get("DBUS_SESSION_BUS_ADDRESS") and not _bus_socket(environ):
        return "there is no desktop session here (no D-Bus session bus)"
    return ""


def usable(channels: Sequence[Channel], environ: Mapping[str, str]) -> tuple[Channel, ...]:
    """Without a desktop that nobody asked for and that is not there: its absence is not worth a word."""
    return tuple(
        channel
        for channel in channels
        if channel.asked_for or channel.kind is not Kind.DESKTOP or not why_missing(environ)
    )


def linux_words(note: Notification) -> list[str]:
    """The body is markup, and notify-send resolves backslashes in it; the title is neither."""
    urgency = "critical" if note.urgent else "normal"
    body = html.escape(note.text, quote=False).replace("\\", "\\\\")
    return [
        "notify-send",
        "--app-name=AgentGuard",
        f"--urgency={urgency}",
        "--icon=security-low",
        "--",
        note.title,
        body,
    ]


def apple_words(note: Notification) -> list[str]:
    """The first word is no option whatever the title is, and behind it nothing is taken for one."""
    return ["osascript", *_APPLE_SCRIPT, f"AgentGuard: {note.title}", note.text]


def _bus_socket(environ: Mapping[str, str]) -> bool:
    """Where libdbus looks when no variable names the bus."""
    folder = environ.get("XDG_RUNTIME_DIR")
    return bool(folder) and os.path.lexists(Path(folder or "/", "bus"))
