"""The vocabulary behind rarity: what ships can be made again, and tells random strings from those of code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from agentguard.detect import ngrams
from agentguard.detect.templates import expand


def test_random_strings_are_rarer_than_names() -> None:
    random = [expand(f"{{{kind}:{size}}}", "rare") for kind in ("alnum", "hex", "base64") for size in (20, 32)]
    names = ["connection_timeout_seconds", "getAuthenticationToken", "x-forwarded-proto", "utf-8", "application/json"]
    assert min(map(ngrams.rarity, random)) > max(map(ngrams.rarity, names)) + 0.2
    assert ngrams.rarity("") == 0.0


def test_the_fewest_pieces_are_found_and_not_the_first() -> None:
    known = frozenset({"toke", "to", "ken", "kens"})
    assert ngrams.pieces("tokens", known) == 2
    assert ngrams.pieces("xyz", known) == 3


def test_what_ships_is_of_the_form_that_is_read() -> None:
    known = ngrams.vocabulary()
    assert len(known) == 9_000
    assert all(2 <= len(group) <= ngrams.LONGEST and ngrams.folded(group) == group for group in known)


def test_training_measures_on_what_it_has_not_learnt_from(repository: Path) -> None:
    before = Path(ngrams.__file__).with_name("ngrams.txt").stat().st_mtime_ns
    program = repository / "scripts" / "lib" / "train_rarity.py"
    command = [sys.executable, program, "--check", repository / "agentguard" / "detect"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    shares = dict(re.findall(r"^  (\S[a-z ]*?) +from [0-9.]+: +([0-9.]+)% of code", run.stdout, re.MULTILINE))
    assert float(shares["both"]) < float(shares["entropy"]) / 2
    assert Path(ngrams.__file__).with_name("ngrams.txt").stat().st_mtime_ns == before
