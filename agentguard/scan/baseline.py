"""The baseline: credentials that are known, and of which no scan speaks again until they move to another file.

It is committed, so it must not help to guess a weak password: a value is hashed with a function that takes long
(scrypt), under a salt of the file's own, and most of the hash is left out, so that a guess is never confirmed. What
identifies an entry is path, type and hash; no line, commit or time, so that it only changes when a credential does.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterable
from pathlib import Path

from agentguard.errors import ConfigError
from agentguard.scan.tally import Entry

VERSION = 1
_COST, _BLOCK, _LANES = 1 << 13, 8, 1
"""scrypt's n, r and p: 8 MB and some 25 ms a value, spent only where path and type are those of an entry."""
_TAG_BYTES = 5
"""Of a hash kept: two values in one file look alike once in 10^12 cases, and so do as many guesses."""
_ABOUT = "Credentials that agentguard scan has been told to pass over. Write it with --update-baseline."


class Baseline:
    """Immutable.

    Args:
        salt: of the file: 16 bytes, written as its id, for a random number called `salt` would itself look like a key.
        folder: where the file lies: its paths are relative to it, wherever a scan is started.
        entries: what is known.
    """

    def __init__(self, salt: bytes, folder: str, entries: Iterable[Entry] = ()) -> None:
        self.salt = salt
        self.folder = os.path.realpath(folder)
        self.entries = frozenset(entries)
        self._places = {(entry.path, entry.type) for entry in self.entries}

    def entry(self, path: str, kind: str, value: bytes) -> Entry:
        """What this credential is called here.

        Args:
            path: absolute, of the file or what stands for one.
            kind: id of its type.
            value: canonical.
        """
        return self._entry(os.path.relpath(path, self.folder), kind, value)

    def holds(self, path: str, kind: str, value: bytes) -> bool:
        """Whether it is known."""
        within = os.path.relpath(path, self.folder)
        return (within, kind) in self._places and self._entry(within, kind, value) in self.entries

    def updated(self, entries: Iterable[Entry]) -> Baseline:
        """With what a scan found, in place of what was known. Entries that still hold do not change."""
        return Baseline(self.salt, self.folder, entries)

    def _entry(self, path: str, kind: str, value: bytes) -> Entry:
        salted = self.salt + f"{path}\0{kind}".encode("utf-8", "surrogateescape")
        tag = hashlib.scrypt(value, salt=salted, n=_COST, r=_BLOCK, p=_LANES, dklen=_TAG_BYTES)
        return Entry(path, kind, tag.hex())


def new_baseline(path: Path) -> Baseline:
    """An empty one for a file that is not there yet, with a salt of its own."""
    return Baseline(uuid.uuid4().bytes, str(path.parent))


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
        return Baseline(uuid.UUID(found["id"]).bytes, str(path.parent), entries)
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
    made = uuid.UUID(bytes=baseline.salt)
    head = f'{{"about": {json.dumps(_ABOUT)},\n "version": {VERSION},\n "id": "{made}",\n "entries": ['
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(f"{head}\n{lines}\n ]}}\n" if rows else f"{head}]}}\n", encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        raise ConfigError(f"cannot write baseline {path}: {error.strerror}") from None
