"""A scanner over the shipped credential types, and secrets that no scanner of repositories takes for real ones."""

from __future__ import annotations

import random
import string

from agentguard.detect.engine import build_engine
from agentguard.detect.fingerprint import Fingerprinter, preview
from agentguard.detect.rules import load_types
from agentguard.detect.scanner import Scanner
from agentguard.detect.value_index import ValueIndex
from agentguard.model.secret import SecretValue
from agentguard.paths import policies_dir

FINGERPRINTER = Fingerprinter(bytes(range(32)))
_TYPES = load_types(policies_dir() / "secrets.yaml")
_ENGINE = build_engine(_TYPES, prefer="python")


def scanner_with(index: ValueIndex | None = None) -> Scanner:
    return Scanner(_TYPES, _ENGINE, FINGERPRINTER, index if index is not None else ValueIndex())


def made_up(length: int, seed: int = 0, signs: str = "") -> str:
    """A random word without two equal neighbours; the same for the same arguments."""
    source = random.Random(f"{seed}/{length}/{signs}")
    alphabet = string.ascii_letters + string.digits + signs
    out = source.choice(string.ascii_letters)
    while len(out) < length:
        char = source.choice(alphabet)
        out += char if char != out[-1] else ""
    return out


def secret_value(value: bytes | str, name: str = "", path: str = "/src/shop/.env") -> SecretValue:
    raw = value.encode() if isinstance(value, str) else value
    return SecretValue(value=raw, fingerprint=FINGERPRINTER.of(raw), preview=preview(raw), name=name, source_path=path)
