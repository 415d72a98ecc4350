"""Who did it: a process as a sensor saw it, and as it may be kept.

Names follow OpenTelemetry `process.*` and psutil. A `ProcessSnapshot` is raw (its command line may
hold a secret) and never leaves memory; a `Process` is redacted and may be written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Attribution(StrEnum):
    """How sure we are of the process."""

    EXACT = "exact"
    INFERRED = "inferred"
    UNKNOWN = "unknown"


class Confidence(StrEnum):
    """How the sensor learnt of the process, best first."""

    EXACT_HELD = "exact-held"
    """The process was blocked in the call while it was identified."""
    EXACT_PID = "exact-pid"
    """The kernel named the pid; its identity was read late, or is missing."""
    FD_SEEN = "fd-seen"
    """The process was found holding the file or the socket afterwards."""
    PROBABLE = "probable"
    """Its command line names the file, or it was the only candidate."""
    NONE = "none"


ATTRIBUTION_OF = {
    Confidence.EXACT_HELD: Attribution.EXACT,
    Confidence.EXACT_PID: Attribution.EXACT,
    Confidence.FD_SEEN: Attribution.INFERRED,
    Confidence.PROBABLE: Attribution.INFERRED,
    Confidence.NONE: Attribution.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Ancestor:
    """One link of the parent chain."""

    pid: int
    name: str
    """The executable's own name (the last part of `/proc/PID/exe`), "" when unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSnapshot:
    """A process as the kernel showed it at one moment. Raw: `cmdline` may hold secrets."""

    pid: int
    """Thread group id, in the supervisor's pid namespace."""
    parent_pid: int = 0
    """0 when it could not be read."""
    start_time: int = 0
    """Clock ticks since boot (field 22 of /proc/PID/stat); 0 when unknown. With `pid` it names one process."""
    exe: str = ""
    cmdline: tuple[str, ...] = field(default=(), repr=False)
    cwd: str = ""
    ancestors: tuple[Ancestor, ...] = ()
    """Nearest parent first, as far as the session's root."""

    @property
    def name(self) -> str:
        return self.exe.removesuffix(" (deleted)").rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process as it is kept and shown: nothing in it is secret."""

    pid: int
    name: str
    exe: str
    cmdline: tuple[str, ...]
    """Redacted: a recognised secret is replaced by its preview."""
    start_time: int = 0
    ancestors: tuple[Ancestor, ...] = ()
    """Nearest parent first, as far as the session's root process."""
