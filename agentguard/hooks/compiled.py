"""The credential types, compiled: read from YAML once and kept in a form that loads in a millisecond.

Keyed by the content of policies/secrets.yaml and of what reads it, so that it is never out of date. It lies in
the user's own home folder of AgentGuard, whose content nobody else can change.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from agentguard import __version__
from agentguard.detect import rules
from agentguard.detect.rules import CredentialType, Examples
from agentguard.hooks.cache_file import read, write
from agentguard.model.secret import KeyScope
from agentguard.model.verdict import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    Row = tuple[str, str, list[Any]]

_LOADERS = ("rules_file.py", "context_form.py", "assignment_patterns.py")
_NO_EXAMPLES = Examples(match=(), no_match=())
_FIELDS = tuple(name for name in CredentialType.__slots__ if name not in ("scope", "severity", "examples"))
"""In their order; those of a kept row come after the scope and the severity."""


_PUT = tuple(vars(CredentialType)[name].__set__ for name in ("scope", "severity", "examples", *_FIELDS))
"""Into the slots of one, in the order of a row."""


def compiled_types(source: str, cache: str) -> tuple[CredentialType, ...]:
    """Every type that counts at rest, without its examples.

    Args:
        source: policies/secrets.yaml.
        cache: a folder of the user's own. Where it cannot be written the YAML is read each time.

    Raises:
        PolicyError: the source is invalid.
        OSError: it cannot be read.
    """
    path = f"{cache}/gate-{__version__}-{_key(source)}.types"
    rows = read(path)
    if rows is None:
        from pathlib import Path  # slow to import, and so is what reads YAML

        rows = rows_of(rules.load_types(Path(source), at_rest=True))
        write(path, rows)
    return types_of(rows)


def _key(source: str) -> str:
    """Of all that makes the types what they are: in a checkout the version alone says little."""
    folder = rules.__file__.removesuffix("rules.py")
    checksum = zlib.crc32(" ".join(_FIELDS).encode())
    for path in (source, *(folder + name for name in _LOADERS)):
        with open(path, "rb") as file:
            checksum = zlib.crc32(file.read(), checksum)
    return f"{checksum:08x}"


def rows_of(types: Iterable[CredentialType]) -> list[Row]:
    """As they are kept."""
    return [(kind.scope.value, kind.severity.value, [getattr(kind, name) for name in _FIELDS]) for kind in types]


def types_of(rows: Iterable[Row]) -> tuple[CredentialType, ...]:
    """The inverse of `rows_of`, but for the examples."""
    scopes, severities = {one.value: one for one in KeyScope}, {one.value: one for one in Severity}
    return tuple(_type((scopes[scope], severities[severity], _NO_EXAMPLES, *rest)) for scope, severity, rest in rows)


def _type(values: tuple[Any, ...]) -> CredentialType:
    """As its constructor makes it, in a third of the time: there are 800, and a commit waits for them."""
    kind = CredentialType.__new__(CredentialType)
    for put, value in zip(_PUT, values, strict=True):
        put(kind, value)
    return kind
