"""What the tests of posture share: one scanner, the data files, and a look at a folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from harness.compiled_rules import rules_folder

from agentguard.detect.engine import build_engine
from agentguard.detect.file_scan import FileScanner
from agentguard.detect.files import load_file_patterns
from agentguard.detect.fingerprint import Fingerprinter
from agentguard.detect.rules import load_types
from agentguard.detect.scanner import Scanner
from agentguard.detect.value_index import ValueIndex
from agentguard.model.posture import Breadth, Check, Posture, Weakness
from agentguard.paths import policies_dir
from agentguard.posture.assess import assess
from agentguard.posture.catalogue import Catalogue, load_catalogue
from agentguard.posture.look import History, Knowledge, Look, Question
from agentguard.posture.reading import FileReader

NOW_NS = 1_780_000_000 * 10**9


@cache
def scanner() -> Scanner:
    types = load_types(policies_dir() / "secrets.yaml", at_rest=True)
    return Scanner(types, build_engine(types, cache=rules_folder()), Fingerprinter(b"k" * 32), ValueIndex())


@cache
def catalogue() -> Catalogue:
    return load_catalogue(policies_dir() / "posture.yaml")


@cache
def knowledge() -> Knowledge:
    patterns = load_file_patterns(policies_dir() / "files.yaml")
    return Knowledge(catalogue=catalogue(), patterns=patterns, types=scanner().types)


def look_at(
    root: Path,
    *,
    home: Path | None = None,
    history: History | None = None,
    older_than_days: int = 0,
    first_seen: Mapping[str, int] | None = None,
    rotated: frozenset[str] = frozenset(),
) -> Posture:
    """What `check` finds there."""
    question = Question(
        root=root,
        home=home,
        older_than_days=older_than_days,
        first_seen=first_seen or {},
        rotated=rotated,
        now_ns=NOW_NS,
    )
    reader = FileReader(catalogue(), FileScanner(scanner()), scanner())
    looked = Look(question, knowledge(), reader, history=history).run()
    return assess(looked, Breadth(), lambda text: scanner().redact(text)[0])


def of_check(posture: Posture, check: Check) -> list[Weakness]:
    return [one for one in posture.weaknesses if one.check is check]


def only(posture: Posture, check: Check) -> Weakness:
    (found,) = of_check(posture, check)
    return found
