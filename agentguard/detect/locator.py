"""Finds credentials by their form alone, in bytes as they stand: what the whole `Scanner` and the commit hook share."""

from __future__ import annotations

from collections.abc import Sequence

from agentguard.detect.checksum import canonical, check
from agentguard.detect.confirm import Engine, Hit
from agentguard.detect.fingerprint import Fingerprinter
from agentguard.detect.matching import Located, resolve
from agentguard.detect.naming import host_of_url, name_before
from agentguard.detect.placeholders import is_credential
from agentguard.detect.rules import CredentialType


class Locator:
    """Any thread may use it.

    Args:
        types: credential types, in the order the engine was built with.
        engine: of `agentguard.detect.engine.build_engine`.
        fingerprinter: names the values.
    """

    def __init__(self, types: Sequence[CredentialType], engine: Engine, fingerprinter: Fingerprinter) -> None:
        self._types = types
        self._engine = engine
        self._fingerprinter = fingerprinter

    @property
    def types(self) -> Sequence[CredentialType]:
        """The credential types it knows."""
        return self._types

    @property
    def fingerprinter(self) -> Fingerprinter:
        """What names the values."""
        return self._fingerprinter

    def locate(self, data: bytes) -> list[Located]:
        """Credentials recognised by form in `data` as it stands: nothing decoded, placeholders left out, of those
        that overlap the most specific (then the longest). Ordered by start."""
        return [found for found in self._locate(data) if is_credential(found.type, found.value)]

    def _locate(self, data: bytes, words: bytes | None = None) -> list[Located]:
        """As `locate`, placeholders included: one of them may be a known value."""
        hits = self._engine.scan(data, words)
        return resolve([self._located(data, hit) for hit in hits]) if hits else []

    def _located(self, data: bytes, hit: Hit) -> Located:
        kind, start, end = self._types[hit.type_index], hit.start, hit.end
        value = canonical(kind.checksum, data[start:end])
        hosts = host_of_url(data, start, end) if "://" in kind.pattern else ()
        return Located(
            type=kind,
            start=start,
            end=end,
            value=value,
            name=name_before(data, start),
            gap=hit.gap,
            checksum_valid=check(kind.checksum, value),
            issuer_hosts=(*kind.issuer_hosts, *hosts),
        )
