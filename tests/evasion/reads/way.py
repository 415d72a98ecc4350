"""What a way to read a secret is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from evasion.claim import Claim


class Seen(StrEnum):
    """The kind of event that tells of it."""

    FILE = "file"
    COMMAND = "command"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to read a secret.

    `script` runs in sh in a folder of the way's own, in which `.env` holds a value of the way's own; it must print that
    value, or the way has not worked. Beside what is installed it finds there:

        noted CMD ...               writes down its process id and becomes CMD
        python CODE                 a Python in which `note()` does the first half
        calls, processes, handing, ring ...     the programs of c/
        $OUTSIDE_PID, $OUTSIDE_SOCKET           a process of the same user that is no part of the session
    """

    id: str
    title: str
    """For the README: plain words."""
    script: str
    claim: Claim = Claim.EXACT
    remark: str = ""
    """Why it is no better, or what is to be known; a few words."""
    root_claim: Claim | None = None
    """Where it differs when the agent runs as root."""
    before: str = ""
    """A script that runs in the folder before the session starts."""
    needs: tuple[str, ...] = ()
    """Names of `needs.py`, or of programs."""
    seen: Seen = Seen.FILE
    gap: str = ""
    """The type of the gap, where that is the claim."""
    at: str = ".env"
    """The end of the path that the event must name."""
    below: bool = False
    """The opener is a process that the noted one starts, and that cannot write itself down."""
    follows: bool = False
    """What is read is a copy: the script ends with a command line that holds the value, and must be recognised."""
    program: str = ""
    """The name of the program that the event must give, where the way lies about it."""
    of_environment: bool = False
    """The secret is the variable SESSION_API_TOKEN that the agent was started with."""
    of_outside: bool = False
    """The secret is the one that the process outside the session holds."""
    late: bool = False
    """It runs last: it needs what a session learns in the background."""
    own_session: bool = False
    """It runs in a session of its own, in a pid namespace of its own."""
    standard_input: bool = False
    """It gets the agent's own: its `.env`, opened before the session."""

    def claimed(self, *, root: bool) -> Claim:
        return self.root_claim if root and self.root_claim is not None else self.claim
