"""The credential types, compiled: read from YAML once and kept in a form that loads in a millisecond.

Keyed by the content of policies/secrets.yaml and the version of AgentGuard, so that it is never out of date. It lies in
the user's own home folder of AgentGuard, whose content nobody else can change.
"""

from __future__ import annotations

import marshal
import os
import zlib
from typing import TYPE_CHECKING, Any

from agentguard import __version__
from agentguard.detect.rules import CredentialType, Examples
from agentguard.model.secret import KeyScope
from agentguard.model.verdict import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_EXAMPLES = Examples(match=(), no_match=())
_FIELDS = tuple(name for name in CredentialType.__slots__ if name not in ("scope", "severity", "examples"))


def compiled_types(source: str, cache: str) -> tuple[CredentialType, ...]:
    """Every type that counts at rest, without its examples.

    Args:
        source: policies/secrets.yaml.
        cache: a folder of the user's own. Where it cannot be written the YAML is read each time.

    Raises:
        PolicyError: the source is invalid.
        OSError: it cannot be read.
    """
    with open(source, "rb") as file:
        content = file.read()
    path = f"{cache}/gate-{__version__}-{len(content)}-{zlib.crc32(content):08x}.types"
    try:
        with open(path, "rb") as file:
            return loads(file.read())
    except (OSError, ValueError, EOFError, TypeError):  # there is none, or not a whole one
        types = _read(source)
        _keep(path, dumps(types))
        return types


def dumps(types: Sequence[CredentialType]) -> bytes:
    """In the form that `loads` reads."""
    rows = [[kind.scope.value, kind.severity.value, [getattr(kind, name) for name in _FIELDS]] for kind in types]
    return marshal.dumps((_FIELDS, rows))


def loads(data: bytes) -> tuple[CredentialType, ...]:
    """The inverse of `dumps`, but for the examples.

    Raises:
        ValueError, EOFError, TypeError: it is something else, or of other fields.
    """
    fields, rows = marshal.loads(data)  # noqa: S302 (our own file, in the user's own folder)
    if fields != _FIELDS:
        raise ValueError("written by another version")
    scopes, severities = {one.value: one for one in KeyScope}, {one.value: one for one in Severity}
    return tuple(_type(scopes[scope], severities[severity], row) for scope, severity, row in rows)


def _type(scope: KeyScope, severity: Severity, row: list[Any]) -> CredentialType:
    return CredentialType(scope=scope, severity=severity, examples=_NO_EXAMPLES, **dict(zip(_FIELDS, row, strict=True)))


def _read(source: str) -> tuple[CredentialType, ...]:
    from pathlib import Path  # not where the compiled form is there: see above

    from agentguard.detect.rules import load_types

    return load_types(Path(source), at_rest=True)


def _keep(path: str, data: bytes) -> None:
    """Whole or not at all; for whoever cannot write there it is no loss but of time."""
    aside = f"{path}.{os.getpid()}"
    try:
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(data)
        os.replace(aside, path)
    except OSError:
        return
