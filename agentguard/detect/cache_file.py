"""Files of the cache: what is read is what was written, or nothing."""

from __future__ import annotations

import marshal
import os
import zlib
from typing import Any

_SUM = 4
"""Bytes of the checksum before the rest: for what breaks, not for what is forged. The folder is the user's own."""


def read(path: str) -> Any:
    """What `write` was given; None where there is none, or a damaged one, which is taken away."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return None
    rest = data[_SUM:]
    if rest and data[:_SUM] == _sum(rest):
        return marshal.loads(rest)  # noqa: S302 (see _SUM)
    _take_away(path)
    return None


def _take_away(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


def write(path: str, value: Any) -> None:
    """Whole or not at all, for the user alone. Who cannot write there loses nothing but time, at the next start too.

    Args:
        value: what `marshal` takes.
    """
    data = marshal.dumps(value)
    aside = f"{path}.{os.getpid()}"
    try:
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(_sum(data) + data)
        os.replace(aside, path)
    except OSError:
        return


def _sum(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(_SUM, "little")
