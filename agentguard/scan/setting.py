"""What a scan works with: the credential types, the engine, and the key of the fingerprints."""

from __future__ import annotations

import os
from pathlib import Path

from agentguard.config import Home
from agentguard.detect.engine import build_engine
from agentguard.detect.file_scan import FileScanner
from agentguard.detect.fingerprint import Fingerprinter
from agentguard.detect.rules import load_types
from agentguard.detect.scanner import Scanner
from agentguard.detect.value_index import ValueIndex
from agentguard.paths import policies_dir


def file_scanner(home_folder: Path) -> FileScanner:
    """Looks into files. Errors as `scanner`."""
    return FileScanner(scanner(home_folder))


def scanner(home_folder: Path) -> Scanner:
    """With the fingerprints of the home folder where there is one. A scan makes none: it may run where nothing can be
    written, and its fingerprints are then those of this run alone.

    Raises:
        PolicyError: the credential types are invalid.
        ConfigError: the key of the home folder is damaged.
    """
    home = Home(home_folder)
    usable = os.access(home_folder, os.W_OK | os.X_OK)
    fingerprinter = Fingerprinter(home.fingerprint_key() if usable else os.urandom(32))
    types = load_types(policies_dir() / "secrets.yaml", at_rest=True)
    engine = build_engine(types, cache=home.cache if usable else None)
    return Scanner(types, engine, fingerprinter, ValueIndex())
