"""The second engine: an RE2 set says which types occur in a block of 16 KB."""

from __future__ import annotations

import re
from collections.abc import Sequence

import re2

from agentguard.detect.blocks import scan_blocks
from agentguard.detect.confirm import Confirmer, Hit
from agentguard.detect.rules import CredentialType

_BLOCK = 16 * 1024
_MEMORY = 64 << 20


class Re2Engine:
    """About 250 MB/s on clean input."""

    name = "re2"

    def __init__(self, types: Sequence[CredentialType]) -> None:
        self._confirmer = Confirmer(types)
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1  # one byte is one character, as in `re` on bytes
        options.max_mem = _MEMORY
        options.log_errors = False
        self._set = re2.Set.SearchSet(options)
        for kind in types:
            self._set.Add(_expression(kind))
        self._set.Compile()

    def scan(self, data: bytes, _words: bytes | None = None) -> list[Hit]:
        """As `Engine.scan`."""
        return scan_blocks(data, _BLOCK, self._types_in, self._confirmer)

    def _types_in(self, block: bytes) -> dict[int, tuple[int, ...]]:
        return dict.fromkeys(self._set.Match(block) or (), ())


def _expression(kind: CredentialType) -> bytes:
    """The pattern; of a type whose keyword stands within, or before much else, the keyword: a leading class and a long
    gap have the automaton grow without end, and the confirmation looks at every keyword anyway."""
    if any(kind.lead) or kind.value_form:
        return f"(?i:{'|'.join(map(re.escape, kind.keywords))})".encode("ascii")
    return kind.pattern.replace("(?P<secret>", "(?:").encode("ascii")
