"""What was put where, kept in the home folder, so that it can be found and taken out again."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agentguard.errors import ConfigError
from agentguard.setup.files import told

NAME = "installed.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Paths are absolute."""

    launcher: str = ""
    """The link on the PATH; "" when none was made."""
    replaced: str | None = None
    """Where a link led that stood there before."""
    files: tuple[str, ...] = ()
    """Files that are ours alone: completions, the manual page."""
    edited: tuple[str, ...] = ()
    """Files of the user's with our lines in them."""
    made: tuple[str, ...] = ()
    """Of `edited`, those that were not there before."""
    folders: tuple[str, ...] = ()
    """Folders that were not there before."""
    aliases: tuple[str, ...] = ()
    """Names of agents that start guarded."""
    repositories: tuple[str, ...] = field(default=())
    """Tops of the work trees that `hook install` put the git gate into."""


def load_receipt(home: Path) -> Receipt:
    """An empty one when there is none.

    Raises:
        ConfigError: it cannot be read, or is damaged.
    """
    path = home / NAME
    with told(path, "read"):
        try:
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
        except FileNotFoundError:
            return Receipt()
    try:
        return _from_json(json.loads(text))
    except (ValueError, TypeError, AttributeError, KeyError):
        raise ConfigError(f"{path} is damaged; move it away, then `agentguard install` again") from None


def save_receipt(home: Path, receipt: Receipt) -> None:
    """Whole or not at all; an empty one is no file.

    Raises:
        ConfigError: it cannot be written.
    """
    path = home / NAME
    with told(path):
        if receipt == Receipt():
            path.unlink(missing_ok=True)
            return
        data = {name: getattr(receipt, name) for name in Receipt.__slots__}
        aside = path.with_name(f".{NAME}.{secrets.token_hex(4)}")
        try:
            with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(json.dumps(data, indent=2) + "\n")
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)


def note_repositories(home: Path, tops: Iterable[Path], *, gone: bool = False) -> None:
    """The git gate was put into these, or taken out of them.

    Raises:
        ConfigError: as `load_receipt` and `save_receipt`.
    """
    receipt = load_receipt(home)
    named = [str(top) for top in tops]
    kept = [one for one in receipt.repositories if one not in named]
    wanted = tuple(kept if gone else kept + named)
    if wanted != receipt.repositories:
        save_receipt(home, replace(receipt, repositories=wanted))


def _from_json(data: dict[str, Any]) -> Receipt:
    values: dict[str, Any] = {}
    for name in Receipt.__slots__:
        value = data.get(name)
        if value is not None:
            values[name] = tuple(map(str, value)) if isinstance(value, list) else str(value)
    return Receipt(**values)
