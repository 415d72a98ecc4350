"""One interface for every matching engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Hit:
    """A credential type's pattern matched."""

    type_index: int
    start: int
    end: int


class Engine(Protocol):
    """Finds credential types in bytes. Thread-safe."""

    @property
    def name(self) -> str: ...

    def scan(self, data: bytes) -> list[Hit]: ...
