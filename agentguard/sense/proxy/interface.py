"""What the proxy is handed from later stages: a scanner, a verdict, a memory for values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from agentguard.model.observation import HttpObservation
from agentguard.model.secret import SecretMatch, SecretValue


class BodyScan(Protocol):
    """What a whole body held."""

    @property
    def matches(self) -> Sequence[SecretMatch]: ...

    @property
    def opaque(self) -> str:
        """Why part of it could not be decoded; "" when all of it was."""


class StreamScan(Protocol):
    """A body that is scanned as it passes; it carries enough over to see a secret that is split between chunks."""

    @property
    def opaque(self) -> str: ...

    def feed(self, chunk: bytes, /) -> list[SecretMatch]: ...

    def finish(self) -> list[SecretMatch]: ...


class BodyScanner(Protocol):
    """Recognises credentials in bytes. Safe to call from several threads."""

    def scan(self, data: bytes, /, *, place: str = "") -> list[SecretMatch]: ...

    def scan_body(
        self, data: bytes, /, *, content_type: str = "", content_encoding: str = "", place: str = "body"
    ) -> BodyScan: ...

    def stream(self, *, content_type: str = "", content_encoding: str = "", place: str = "body") -> StreamScan: ...

    def redact(self, text: str, /) -> tuple[str, list[SecretMatch]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """The later stages, as values and callables."""

    scanner: BodyScanner
    learn: Callable[[Sequence[SecretValue]], object]
    """Follow these values from now on. Called from one thread at a time."""
    decide: Callable[[HttpObservation], str]
    """The rule (FILE:ID) that blocks this request, or ""."""
    can_block: bool = False
    """Whether `decide` can answer with a rule at all; if so, streamed bodies are held back a little."""
