"""The errors a user may meet, and the exit statuses they become.

Every stage raises a subclass of `AgentGuardError` whose text is one clear line: what happened, and
what to do. `agentguard.cli.main` is the one boundary that turns them into a line on stderr and an
exit status; nothing below it prints or exits.
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_FOUND = 1
"""`scan`: secrets were found. `verify`: a chain is broken."""
EXIT_ERROR = 2
EXIT_NOT_EXECUTABLE = 126
EXIT_NOT_FOUND = 127
EXIT_INTERRUPTED = 130


class AgentGuardError(Exception):
    """What happened and what to do about it, in one line a user can act on.

    The text never quotes bytes that were scanned: it may be logged.
    """

    exit_status = EXIT_ERROR


class UsageError(AgentGuardError):
    """The arguments make no sense."""


class ConfigError(AgentGuardError):
    """The home folder, a key or a setting cannot be used."""


class PolicyError(AgentGuardError):
    """A policy or a data file is invalid. Names the file, the line and what is wrong."""


class GitError(AgentGuardError):
    """Git is missing, or refuses: in its own words, on one line."""


class StoreError(AgentGuardError):
    """The database cannot be opened, written or read."""


class SensorError(AgentGuardError):
    """A sensor cannot run here. The text is the reason that `doctor` and the report show."""


class CommandNotFoundError(AgentGuardError):
    """The program to guard does not exist."""

    exit_status = EXIT_NOT_FOUND


class CommandNotExecutableError(AgentGuardError):
    """The program to guard exists but may not be executed."""

    exit_status = EXIT_NOT_EXECUTABLE
