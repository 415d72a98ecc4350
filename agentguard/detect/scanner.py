"""Finds secrets in bytes: by the form of a credential type, and by values already known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agentguard.detect.engine import Engine
from agentguard.detect.fingerprint import Fingerprinter
from agentguard.detect.rules import CredentialType
from agentguard.model.secret import SecretMatch, SecretValue


@dataclass(frozen=True, slots=True)
class ValueHit:
    """A known value found in bytes."""

    start: int
    end: int
    """Half-open span in the scanned bytes, of the form found there (the encoded one when it is encoded)."""
    value: SecretValue
    encoding: tuple[str, ...] = ()
    """Decodings that lead from the found form to the value, outermost first; () when it stands there plainly."""


class ValueHits(Protocol):
    """What the scanner asks of the index of known values."""

    def scan(self, data: bytes) -> list[ValueHit]:
        """Every occurrence of a known value in `data`, plain or encoded. Thread-safe."""


@dataclass(frozen=True, slots=True)
class Located:
    """A credential recognised by its form, with its place in the bytes. Holds the value: in memory only."""

    type: CredentialType
    start: int
    end: int
    """Half-open span of the secret itself in the scanned bytes."""
    value: bytes = field(repr=False)
    """The canonical value: what is fingerprinted (of a private key its body without line ends)."""
    name: str = ""
    """The variable or key it stands under; "" when none is in sight."""
    checksum_valid: bool | None = None
    issuer_hosts: tuple[str, ...] = ()
    """Of the type; of a database URL the host it names."""


@dataclass(frozen=True, slots=True)
class BodyScan:
    """What a whole body holds."""

    matches: list[SecretMatch]
    opaque: str
    """Why part of the body could not be read, in words; "" when all of it was."""


class Scanner:
    """Signatures; see the contract."""

    def __init__(
        self, types: Sequence[CredentialType], engine: Engine, fingerprinter: Fingerprinter, values: ValueHits
    ) -> None:
        self._types = tuple(types)
        self._engine = engine
        self._fingerprinter = fingerprinter
        self._values = values

    def locate(self, data: bytes) -> list[Located]:
        """Credentials recognised by form in `data` as it stands (no decoding), placeholders left out."""
        raise NotImplementedError

    def scan(self, data: bytes, *, place: str = "") -> list[SecretMatch]:
        """Every secret in `data`, plain or encoded; one match a fingerprint, the shortest encoding chain wins."""
        raise NotImplementedError
