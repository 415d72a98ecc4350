"""Makes the vocabulary behind `agentguard.detect.ngrams` from source code that lies on this machine, and measures it.

Only which short groups of letters are common is kept, no text. A quarter of the packages is held back: their names and
strings are what the figures are taken on, beside random strings of the forms that keys have.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import string
import sysconfig
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from agentguard.detect import ngrams

_KINDS = (".py", ".js", ".ts", ".json", ".yaml", ".toml", ".md", ".html", ".css")
_LARGEST = 400_000
"""Bytes; larger files are generated."""
_STRING = re.compile(r"""["']([^"'\\\n\s]{8,60})["']""")
_NAME = re.compile(r"\b[A-Za-z_][A-Za-z0-9_]{7,40}\b")
_RANDOM = re.compile(r"(?i)[0-9a-f]{20}|^[0-9a-f-]{16,}$")
"""Digests and UUIDs are random, though no secrets: neither learnt from nor counted as wrong."""
_SIZE = 9_000
"""Groups in the vocabulary: 50 KB."""
_RAREST = 20
"""Times a group must have been met."""
_HELD_BACK = 4
"""One package in so many."""
_SECRETS, _STRINGS = 4_000, 18_700
_RECALL = 0.99
_ALPHABETS = (
    "0123456789abcdef",
    string.ascii_letters + string.digits,
    string.ascii_lowercase + string.digits,
    string.ascii_letters + string.digits + "+/",
    string.ascii_letters + string.digits + "!@#$%^&*-_",
)
_LENGTHS = (16, 20, 24, 32, 40)

Score = Callable[[str], float]


def main() -> int:
    """Count, write, measure."""
    parser = argparse.ArgumentParser(prog="scripts/train-rarity", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="each of its parts is one package")
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    folders = options.folders or [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")]
    packages = {package: set(_texts(package)) for folder in folders for package in sorted(folder.iterdir())}
    order = sorted(packages, key=lambda package: package.name)
    random.Random(1).shuffle(order)  # noqa: S311 (the same each time)
    held_back = [text for package in order[::_HELD_BACK] for text in packages[package]]
    learnt = set().union(*(packages[package] for package in order if package not in set(order[::_HELD_BACK])))
    _print_figures(_vocabulary(learnt), [text for text in held_back if text not in learnt])
    if not options.check:
        whole = _vocabulary(set().union(*packages.values()))
        path = Path(ngrams.__file__).with_name("ngrams.txt")
        path.write_text("\n".join(sorted(whole)) + "\n", encoding="ascii")
        print(f"{path}: {len(whole):,} groups, {path.stat().st_size:,} bytes")
    return 0


def _texts(package: Path) -> Iterator[str]:
    """Strings and names in the source files of a package, but for random ones."""
    files: Iterable[Path] = (Path(folder, name) for folder, _, names in os.walk(package) for name in names)
    for path in [package] if package.is_file() else files:
        if path.suffix in _KINDS and path.stat().st_size <= _LARGEST:
            text = path.read_text(errors="replace")
            found = {*_STRING.findall(text), *_NAME.findall(text)}
            yield from (each for each in found if not _RANDOM.search(each))


def _vocabulary(texts: set[str]) -> frozenset[str]:
    """The groups that save the most pieces."""
    counts: Counter[str] = Counter()
    for text in map(ngrams.folded, texts):
        if text.isascii():
            for length in range(2, ngrams.LONGEST + 1):
                counts.update(text[at : at + length] for at in range(len(text) - length + 1))
    common = [group for group, count in counts.items() if count >= _RAREST]
    return frozenset(sorted(common, key=lambda group: (-counts[group] * (len(group) - 1), group))[:_SIZE])


def _print_figures(known: frozenset[str], held_back: list[str]) -> None:
    """The share of strings of code that are as rare as all but one in a hundred of the random ones."""
    source = random.Random(2)  # noqa: S311 (the same each time)
    secrets = ["".join(source.choices(source.choice(_ALPHABETS), k=source.choice(_LENGTHS))) for _ in range(_SECRETS)]
    strings = source.sample(sorted(held_back), min(_STRINGS, len(held_back)))

    def cut(text: str) -> float:
        return ngrams.pieces(ngrams.folded(text), known) / len(text)

    scores: dict[str, Score] = {
        "entropy": ngrams.entropy,
        "pieces a character": cut,
        "both": lambda text: cut(text) + ngrams.ENTROPY_WEIGHT * ngrams.entropy(text),
    }
    print(f"{len(secrets):,} random strings beside {len(strings):,} of code that was not learnt from")
    for name, score in scores.items():
        limit = sorted(map(score, secrets))[int(len(secrets) * (1 - _RECALL))]
        wrong = sum(score(text) >= limit for text in strings) / len(strings)
        print(f"  {name:<20} from {limit:.3f}: {wrong:6.1%} of code at {_RECALL:.0%} of the random ones")


if __name__ == "__main__":
    raise SystemExit(main())
