"""The baseline: credentials that are known, and of which no scan speaks again until they move to another file.

It is committed, so it must not help to guess a weak password: a value is hashed with a function that takes long
(scrypt), under a salt of the file's own, and most of the hash is left out, so that a guess is never confirmed. What
identifies an entry is path, type and hash; no line, commit or time, so that it only changes when a credential does.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from agentguard.errors import ConfigError
from agentguard.scan.tally import Entry

VERSION = 1
_SALT_BYTES = 16
_COST, _BLOCK, _LANES = 1 << 13, 8, 1
"""scrypt's n, r and p: 8 MB and some 25 ms a value, spent only where path and type are those of an entry."""
_TAG_BYTES = 5
"""Of a hash kept: two values in one file look alike once in 10^12 cases, and so do as many guesses."""
_ABOUT = "Credentials that agentguard scan has been told to pass over. Write it with --update-baseline."


class Baseline:
    """Immutable; equal files are equal.

    Args:
        salt: of the file.
        entries: what is known.
    """

    def __init__(self, salt: bytes, entries: Iterable[Entry] = ()) -> None:
        self.salt = salt
        self.entries = frozenset(entries)
        self._places = {(entry.path, entry.type) for entry in self.entries}

    def entry(self, path: str, kind: str, value: bytes) -> Entry:
        """What this credential is called here.

        Args:
            path: as in the results.
            kind: id of its type.
            value: canonical.
        """
        salted = self.salt + f"{path}\0{kind}".encode("utf-8", "surrogateescape")
        tag = hashlib.scrypt(value, salt=salted, n=_COST, r=_BLOCK, p=_LANES, dklen=_TAG_BYTES)
        return Entry(path, kind, tag.hex())

    def holds(self, path: str, kind: str, value: bytes) -> bool:
        """Whether it is known."""
        return (path, kind) in self._places and self.entry(path, kind, value) in self.entries

    def updated(self, entries: Iterable[Entry]) -> Baseline:
        """With what a scan found, in place of what was known. Entries that still hold do not change."""
        return Baseline(self.salt, entries)


def new_baseline() -> Baseline:
    """An empty one, with a salt of its own."""
    return Baseline(secrets.token_bytes(_SALT_BYTES))


def read_baseline(path: Path) -> Baseline:
    """From its file.

    Raises:
        ConfigError: it cannot be read, or is no baseline: one that is damaged must not let everything pass.
    """
    try:
        found = json.loads(path.read_bytes())
        if found["version"] != VERSION:
            raise ConfigError(f"baseline {path} is of version {found['version']!r}; this program knows {VERSION}")
        entries = [Entry(str(one["path"]), str(one["type"]), str(one["hash"])) for one in found["entries"]]
        return Baseline(bytes.fromhex(found["salt"]), entries)
    except FileNotFoundError:
        raise ConfigError(f"there is no baseline {path}; --update-baseline writes one") from None
    except OSError as error:
        raise ConfigError(f"cannot read baseline {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ConfigError(f"{path} is no baseline, or a damaged one; --update-baseline writes a new one") from None


def write_baseline(path: Path, baseline: Baseline) -> None:
    """One entry a line, in order, so that a merge of two branches is one of lines.

    Raises:
        ConfigError: it cannot be written.
    """
    rows = [{"path": one.path, "type": one.type, "hash": one.tag} for one in sorted(baseline.entries)]
    lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    head = f'{{"about": {json.dumps(_ABOUT)},\n "version": {VERSION},\n "salt": "{baseline.salt.hex()}",\n "entries": ['
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(f"{head}\n{lines}\n ]}}\n" if rows else f"{head}]}}\n", encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        raise ConfigError(f"cannot write baseline {path}: {error.strerror}") from None
