"""What the channels share: their errors, and the environment that what they start may see."""

from __future__ import annotations

from collections.abc import Mapping

from agentguard.errors import AgentGuardError

_KEPT = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR"),
    *("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"),
    *("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_DATA_DIRS", "XDG_CURRENT_DESKTOP"),
)


class ChannelError(AgentGuardError):
    """It was not delivered, and why: one line, without any secret."""


class ChannelMissingError(ChannelError):
    """There is no such way on this machine: no desktop, no notify-send. Trying again is of no use."""


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a command needs to find its programs, its settings and the desktop; none of the user's keys."""
    return {name: value for name, value in environ.items() if name in _KEPT or name.startswith("LC_")}
