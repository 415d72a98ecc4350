"""What may be claimed of a way to read or to send a secret."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar


class Claim(StrEnum):
    """What the record of a session says of it, best first. `trial.py` of each table says what each takes."""

    EXACT = "exact"
    LOWER = "lower"
    """It is an event, but part of that is missing: the remark says which."""
    GAP = "gap"
    """No event tells of it; a gap says that there was something."""
    MISSED = "missed"
    """Nothing."""


class Claimed(Protocol):
    """A row of the README."""

    @property
    def id(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def claim(self) -> Claim: ...

    @property
    def remark(self) -> str: ...


W_co = TypeVar("W_co", bound=Claimed, covariant=True)


@dataclass(frozen=True, slots=True)
class Family(Generic[W_co]):
    """Ways of one kind, in the README under one heading."""

    title: str
    ways: tuple[W_co, ...]
