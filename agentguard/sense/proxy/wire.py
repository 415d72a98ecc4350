"""Lines of JSON between the supervisor and the proxy child, over a socketpair.

Names of files and programs may hold bytes that are no Unicode (surrogate escapes), which msgspec's own encoder
refuses; the standard one escapes them. msgspec does the typing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from agentguard.model.observation import GapObservation, HttpObservation

T = TypeVar("T")

LINE_LIMIT = 256 << 20
"""Longest line either side reads, bytes."""

Seen = HttpObservation | GapObservation
_KINDS: dict[str, type[HttpObservation] | type[GapObservation]] = {"http": HttpObservation, "gap": GapObservation}
_NAMES = {kind: name for name, kind in _KINDS.items()}


class WireError(Exception):
    """A line that is not of this protocol. Quotes nothing of it."""


def encode(op: str, body: object = None) -> bytes:
    """One line: what it is, and a dataclass or plain data."""
    plain = msgspec.to_builtins(body, enc_hook=_plain)
    return json.dumps([op, plain], separators=(",", ":")).encode("ascii") + b"\n"


def decode(line: bytes) -> tuple[str, Any]:
    """The inverse of `encode`; the body is plain data, for `typed` or `observation`."""
    try:
        op, body = json.loads(line)
    except ValueError:
        raise WireError("not a message") from None
    if not isinstance(op, str):
        raise WireError("not a message")
    return op, body


def typed(body: Any, kind: type[T]) -> T:
    """Plain data as the dataclass it was made from."""
    try:
        return msgspec.convert(body, kind, dec_hook=_rich)
    except msgspec.ValidationError:
        raise WireError(f"not a {kind.__name__}") from None


def encode_observation(observation: Seen) -> bytes:
    return encode("observation", [_NAMES[type(observation)], observation])


def observation(body: Any) -> Seen:
    """The observation that `encode_observation` sent."""
    try:
        name, data = body
        kind = _KINDS[name]
    except (TypeError, ValueError, KeyError):
        raise WireError("not an observation") from None
    return typed(data, kind)


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value).__name__)


def _rich(kind: type[Any], value: Any) -> Any:
    if issubclass(kind, Path):
        return Path(value)
    raise NotImplementedError(kind.__name__)
