"""What a scan works with: the credential types, the engine, the key of the fingerprints, and what is known already."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agentguard.config import KEY_BYTES, open_home
from agentguard.detect.compiled import compiled_types
from agentguard.detect.engine import Engine, build_engine
from agentguard.detect.file_scan import FileScanner
from agentguard.detect.fingerprint import Fingerprinter
from agentguard.detect.rules import CredentialType, load_types
from agentguard.detect.scanner import Scanner
from agentguard.detect.value_index import ValueIndex
from agentguard.errors import ConfigError
from agentguard.paths import policies_dir
from agentguard.scan.baseline import Baseline
from agentguard.scan.look import Looker, OnSecret


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Enough to begin anew in another process. Made by `setting_of`."""

    key: bytes = field(repr=False)
    """Of the fingerprints."""
    cache: Path | None
    """A folder for compiled rules; None: there is none."""
    baseline: Baseline | None = None
    entries: bool = False
    """A baseline is to be written."""
    base: str = ""
    """The folder that the results' paths are relative to."""
    on_secret: OnSecret | None = None
    """Of the files that are opened."""

    def looker(self) -> Looker:
        """Raises PolicyError when the credential types are invalid."""
        files = FileScanner(self.scanner())
        return Looker(files, self.baseline, base=self.base, entries=self.entries, on_secret=self.on_secret)

    def scanner(self) -> Scanner:
        """Errors as `looker`."""
        source = policies_dir() / "secrets.yaml"
        types = load_types(source, at_rest=True) if self.cache is None else compiled_types(str(source), str(self.cache))
        return Scanner(types, _engine(types, self.cache), Fingerprinter(self.key), ValueIndex())


def setting_of(home_folder: Path) -> Setting:
    """With the fingerprints of the home folder. Where there is none, and none can be made (in a container, say), the
    fingerprints are those of this run alone: `Setting.cache` is None then.

    Raises:
        ConfigError: the key of the home folder is damaged.
    """
    try:
        home = open_home(home_folder)
    except ConfigError:
        return Setting(key=os.urandom(KEY_BYTES), cache=None)
    return Setting(key=home.fingerprint_key(), cache=home.cache)


def _engine(types: Sequence[CredentialType], cache: Path | None) -> Engine:
    """What is compiled in seconds is worth it only where it can be kept."""
    if cache is None:
        try:
            return build_engine(types, prefer="re2")
        except ConfigError:  # not for this machine; whichever there is finds the same
            pass
    return build_engine(types, cache=cache)
