"""What the tests of scan share: a looker that needs no compiled rules, and made-up keys."""

from __future__ import annotations

from functools import cache

from harness.repository import made_up_key

from agentguard.detect.engine import build_engine
from agentguard.detect.file_scan import FileScanner
from agentguard.detect.fingerprint import Fingerprinter
from agentguard.detect.rules import load_types
from agentguard.detect.scanner import Scanner
from agentguard.detect.value_index import ValueIndex
from agentguard.paths import policies_dir
from agentguard.scan.baseline import Baseline
from agentguard.scan.look import Looker
from agentguard.scan.tally import Tally

KEYS = [made_up_key(number).encode() for number in range(8)]
KEY = KEYS[0]


@cache
def file_scanner() -> FileScanner:
    types = load_types(policies_dir() / "secrets.yaml", at_rest=True)
    engine = build_engine(types, prefer="ahocorasick")
    return FileScanner(Scanner(types, engine, Fingerprinter(b"k" * 32), ValueIndex()))


def looker(baseline: Baseline | None = None, **options: object) -> Looker:
    return Looker(file_scanner(), baseline, **options)  # type: ignore[arg-type]


def places(tally: Tally) -> list[tuple[str, int]]:
    """(path, line) of what was found."""
    return [(one.path, one.line) for one in tally.found]


def reasons(tally: Tally) -> dict[str, str]:
    """By path, why something was not read."""
    return {one.path: one.reason for one in tally.unread}
