"""The credential types, compiled: read from YAML once and kept in a form that loads in a millisecond.

Keyed by the content of policies/secrets.yaml and of what reads it, so that it is never out of date. It lies in
the user's own home folder of AgentGuard, whose content nobody else can change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agentguard.detect.cache_file import read, write
from agentguard.detect.confirm import users_of
from agentguard.detect.rules import CredentialType, Examples, load_types
from agentguard.detect.types_cache import types_file
from agentguard.model.secret import KeyScope
from agentguard.model.verdict import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    Row = tuple[str, str, list[Any]]

_NO_EXAMPLES = Examples(match=(), no_match=())
_FIELDS = tuple(name for name in CredentialType.__slots__ if name not in ("scope", "severity", "examples"))
"""In their order; those of a kept row come after the scope and the severity."""

_PUT = tuple(vars(CredentialType)[name].__set__ for name in ("scope", "severity", "examples", *_FIELDS))
"""Into the slots of one, in the order of a row."""


class CompiledTypes(Sequence[CredentialType]):
    """Every type that counts at rest, without its examples. Each is made at first use: a commit meets few of the 800.

    Args:
        rows: of `rows_of`.
        users: of each keyword the indices of the types that have it.
        file: where they are kept, or would be.
    """

    def __init__(self, rows: Sequence[Row], users: dict[bytes, list[int]], file: str) -> None:
        self.file = file
        self._rows = rows
        self._made: dict[int, CredentialType] = {}
        self.users = users

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> CredentialType:  # type: ignore[override]  # nobody takes a slice
        kind = self._made.get(index)
        if kind is None:
            kind = self._made[index] = _type(self._rows[index])
        return kind


def compiled_types(source: str, cache: str) -> CompiledTypes:
    """As policies/secrets.yaml says.

    Args:
        source: that file.
        cache: a folder of the user's own. Where it cannot be written the YAML is read each time.

    Raises:
        PolicyError: the source is invalid.
        OSError: it cannot be read.
    """
    path = types_file(source, cache)
    kept = read(path)
    if kept is None:
        from pathlib import Path  # slow to import, and so is what reads YAML

        types = load_types(Path(source), at_rest=True)
        kept = rows_of(types), users_of(types)
        write(path, kept)
    rows, users = kept
    return CompiledTypes(rows, users, path)


def rows_of(types: Iterable[CredentialType]) -> list[Row]:
    """As they are kept."""
    return [(kind.scope.value, kind.severity.value, [getattr(kind, name) for name in _FIELDS]) for kind in types]


def _type(row: Row) -> CredentialType:
    """As its constructor makes it, in a third of the time. The inverse of `rows_of`, but for the examples."""
    scope, severity, rest = row
    kind = CredentialType.__new__(CredentialType)
    for put, value in zip(_PUT, (KeyScope(scope), Severity(severity), _NO_EXAMPLES, *rest), strict=True):
        put(kind, value)
    return kind
