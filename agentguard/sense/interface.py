"""The contract of a sensor: it is given what it must know as values and callables, and emits observations.

A sensor never imports a later stage. What it needs from one (which files are secret, what to do while an
open is held) is handed to it here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agentguard.model.observation import FileObservation, Observation
from agentguard.model.secret import NameFilter, SecretFile

Emit = Callable[[Observation], None]
"""Hands one observation to the pipeline. Never blocks and never raises."""

OnHold = Callable[[FileObservation], bool]
"""Called while the opener of a secret file is held: when it returns, the open goes on. False: the file is no secret
after all, and nothing is told."""


class NamePattern(Protocol):
    """What a name alone says of a file."""

    @property
    def id(self) -> str: ...
    @property
    def expected_readers(self) -> tuple[str, ...]: ...
    @property
    def agent(self) -> str: ...


class Follower(Protocol):
    """Follows the table of secret files; told of one change at a time, and must return at once."""

    def added(self, file: SecretFile) -> None: ...
    def discarded(self, device: int, inode: int) -> None: ...


class SecretFiles(Protocol):
    """The live table of secret files that every file sensor watches."""

    def lookup(self, device: int, inode: int) -> SecretFile | None: ...
    def match_name(self, path: str) -> NamePattern | None: ...
    def known_name(self, name: str) -> bool: ...
    def known_path(self, path: str) -> bool: ...
    def add(self, file: SecretFile) -> object: ...
    def discard(self, device: int, inode: int) -> None: ...
    def directories(self) -> tuple[str, ...]: ...
    def files(self) -> tuple[SecretFile, ...]: ...
    def follow(self, follower: Follower) -> None: ...
    def name_filter(self) -> NameFilter: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSetup:
    """What the two sensors over watched folders are given."""

    root_pid: int
    """The agent's."""
    files: SecretFiles
    decoy: tuple[int, int]
    """Device and inode of the decoy: its open proves the sensor alive and is not told."""
    decoy_path: str
    seen: Callable[[int, int, int], bool]
    """`seen(device, inode, since_ns)`: whether a supervised process, or a guard of this home, opened it since
    then. What another guard's agent opens is known here a moment later."""
    on_look: Callable[[int, int], object]
    """Told the device and inode of a secret file that the sensor is about to open itself."""
    on_change: Callable[[str], SecretFile | None]
    """A file was written, created or moved into place: its entry, None when it is no secret file. Its values are known
    when this returns."""
    on_hold: OnHold
    emit: Emit
    clock: Callable[[], int]
    """ns since the epoch."""
