"""Changing the user's own policy file: whole or not at all, and never over what someone else has just written."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from agentguard.errors import PolicyError
from agentguard.judge.load import read_policy


def replace_policy(path: Path, before: bytes | None, after: bytes | None) -> None:
    """Put `after` where `before` is. A link stays a link; the file keeps its mode, a new one gets 0600.

    Args:
        before: what the caller saw there; None for no file.
        after: what shall be there; None for no file.

    Raises:
        PolicyError: it holds something else by now, or cannot be written.
    """
    if read_policy(path) != before:
        raise PolicyError(f"{path} was changed meanwhile; look at it, and try again")
    target = path.resolve()
    try:
        if after is None:
            target.unlink(missing_ok=True)
            return
        _write(target, after, target.stat().st_mode & 0o777 if before is not None else 0o600)
    except OSError as error:
        raise PolicyError(f"cannot write {path}: {error.strerror}") from None


def _write(target: Path, data: bytes, mode: int) -> None:
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
