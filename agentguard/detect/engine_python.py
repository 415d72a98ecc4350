"""The engine without a library: find every keyword, confirm at each."""

from __future__ import annotations

from collections.abc import Sequence

from agentguard.detect.confirm import Confirmer, Hit, in_order
from agentguard.detect.rules import CredentialType


class PythonEngine:
    """`bytes.find` per keyword: about 15 MB/s."""

    name = "python"

    def __init__(self, types: Sequence[CredentialType]) -> None:
        self._confirmer = Confirmer(types)

    def scan(self, data: bytes, _words: bytes | None = None) -> list[Hit]:
        """As `Engine.scan`."""
        confirmer, lowered, hits = self._confirmer, data.lower(), []
        present: dict[bytes, bool] = {}
        for index, words in enumerate(confirmer.keywords):
            for word in words:
                if word not in present:
                    present[word] = word in lowered
            if any(present[word] for word in words):
                positions = confirmer.positions(index, lowered, 0, 0, len(data))
                hits += confirmer.confirm(index, data, positions)[0]
        return in_order(hits)
