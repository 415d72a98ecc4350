"""How many secrets are found, and what is wrongly taken for one: on samples made here, and on source code without any.

The samples tell what a change does; they are made with the forms of our own types, so that their recall says nothing of
forms we do not know. The trees hold what the samples cannot: what others write where a secret could stand.
"""

from __future__ import annotations

import os
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from accuracy_samples import Sample, samples
from bench_setting import Setting

from agentguard.detect.engine import build_engine
from agentguard.detect.file_scan import FileScanner
from agentguard.detect.fingerprint import Fingerprinter
from agentguard.detect.rules import load_types
from agentguard.detect.scanner import Scanner
from agentguard.detect.value_index import ValueIndex
from agentguard.paths import policies_dir

_TREES = (Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib")), Path("/usr/lib/node_modules"))
_LARGEST = 2_000_000
_QUICK_FILES, _QUICK_STEP = 60, 8
_SHOWN = 8


def bench_accuracy(setting: Setting) -> None:
    """Print recall, with and without generic forms, false positives, and what the trees were said to hold."""
    types = load_types(policies_dir() / "secrets.yaml", at_rest=True)
    scanner = FileScanner(Scanner(types, build_engine(types), Fingerprinter(bytes(32)), ValueIndex()))
    made = samples(types)[:: _QUICK_STEP if setting.quick else 1]
    generic = frozenset(kind.id for kind in types if kind.filter is not None)
    _print_samples(made, [_types_in(one, scanner) for one in made], generic)
    for tree in _TREES:
        if tree.is_dir():
            _print_tree(tree, scanner, setting)


def _types_in(one: Sample, scanner: FileScanner) -> frozenset[str]:
    return frozenset(find.match.type for find in scanner.scan("sample", one.text.encode()))


def _print_samples(made: list[Sample], types_in: list[frozenset[str]], generic: frozenset[str]) -> None:
    """Of each sample the types that were found in it; `generic` are those that a filter judges."""
    found = [bool(types) for types in types_in]
    typed = [bool(types - generic) for one, types in zip(made, types_in, strict=True) if one.kind.startswith("type:")]
    true = sum(one.secret for one in made)
    print(f"\n{len(made):,} samples: {true:,} with a secret, {len(made) - true:,} without")
    print(f"{'recall':<24}{_share(found, made, secret=True)}")
    print(f"{'  without generic':<24}{sum(typed) / len(typed):7.1%} of {len(typed):,}")
    print(f"{'false positives':<24}{_share(found, made, secret=False)}")
    for kind in sorted({_kind(one) for one in made}):
        right = [found[at] is one.secret for at, one in enumerate(made) if _kind(one) == kind]
        print(f"  {kind:<22}{sum(right) / len(right):7.1%} of {len(right):,} right")


def _kind(one: Sample) -> str:
    return "types" if one.kind.startswith("type:") else one.kind


def _share(found: list[bool], made: list[Sample], *, secret: bool) -> str:
    chosen = [found[at] for at, one in enumerate(made) if one.secret is secret]
    return f"{sum(chosen) / len(chosen):7.1%} of {len(chosen):,}"


def _print_tree(tree: Path, scanner: FileScanner, setting: Setting) -> None:
    size = files = 0
    finds: Counter[str] = Counter()
    begin = time.process_time()
    for path in _files(tree):
        data = path.read_bytes()
        if setting.quick and files >= _QUICK_FILES:
            break
        files, size = files + 1, size + len(data)
        finds.update(one.match.type for one in scanner.scan(path.name, data))
    seconds = time.process_time() - begin
    print(f"\n{tree.parent.name}/{tree.name}: {files:,} files, {size / 1e6:.0f} MB, {sum(finds.values())} finds,")
    print(f"  {sum(finds.values()) / size * 1e6:.2f} a MB; {size / 1e6 / seconds:.0f} MB each second of processor time")
    for kind, count in finds.most_common(_SHOWN):
        print(f"  {count:>6} {kind}")


def _files(tree: Path) -> Iterator[Path]:
    """Text, the packages of a standard library aside: they are a tree of their own."""
    for folder, folders, names in os.walk(tree):
        folders[:] = sorted(set(folders) - {"site-packages", "__pycache__"} if tree == _TREES[0] else folders)
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and path.stat().st_size <= _LARGEST and b"\0" not in path.read_bytes()[:8192]:
                yield path
