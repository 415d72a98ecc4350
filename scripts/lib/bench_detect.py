"""The detect engine alone: an LLM request, clean input and input full of secrets, with and without followed values.

The reference is bare Hyperscan over the same bytes: the same rules, no view, no confirmation, no followed value.
"""

from __future__ import annotations

import json
import random
import statistics
import string
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

import hyperscan
from bench_setting import Setting

from agentguard.detect.engine import build_engine
from agentguard.detect.engine_hyperscan import expression
from agentguard.detect.fingerprint import Fingerprinter, preview
from agentguard.detect.rules import CredentialType, load_types
from agentguard.detect.scanner import Scanner
from agentguard.detect.value_index import ValueIndex
from agentguard.model.secret import SecretValue
from agentguard.paths import policies_dir

_BODY = 100_000
_LARGE = 10_000_000
_QUICK = 400_000
_FOLLOWED = (0, 2_000, 10_000)
_PLANTED = 100
_BLOCK = 64 << 10
_REPEATS = 20
"""Scans of the small body in one measure."""
_LETTERS = string.ascii_letters + string.digits
_KEY = bytes(32)

Scan = Callable[[bytes], object]


def bench_detect(setting: Setting) -> None:
    """Print medians of processor time, and how many times that of bare Hyperscan they are."""
    types = load_types(policies_dir() / "secrets.yaml")
    large = _QUICK if setting.quick else _LARGE
    source, prose = _library(large), _log(large)
    bodies = {
        "100 KB of an LLM request": (_request(_BODY), _REPEATS),
        "clean log": (prose, 1),
        "clean source code": (source, 1),
        f"source code, {_PLANTED} secrets": (_planted(source), 1),
    }
    scans: dict[str, Scan] = {"bare Hyperscan": _bare(types)}
    for count in _FOLLOWED[:2] if setting.quick else _FOLLOWED:
        scans[f"{count:,} values"] = _scanner(types, count).scan_body
    print(f"\n{'':<28}" + "".join(f"{name:>24}" for name in scans))
    for title, (body, repeats) in bodies.items():
        _print(title, body, _measure(scans, body, repeats, setting.rounds))


def _measure(scans: dict[str, Scan], body: bytes, repeats: int, rounds: int) -> dict[str, float]:
    """Median processor seconds of one scan, the scans in turns; the first round warms the caches."""
    seconds: dict[str, list[float]] = {name: [] for name in scans}
    for number in range(rounds + 1):
        for name, scan in scans.items():
            begin = time.thread_time()
            for _ in range(repeats):
                scan(body)
            if number:
                seconds[name].append((time.thread_time() - begin) / repeats)
    return {name: statistics.median(each) for name, each in seconds.items()}


def _print(title: str, body: bytes, seconds: dict[str, float]) -> None:
    bare = seconds["bare Hyperscan"]
    cells = [f"{_figure(body, each)} {each / bare:>5.1f}x" for each in seconds.values()]
    print(f"{title:<28}" + "".join(f"{cell:>24}" for cell in cells))


def _figure(body: bytes, seconds: float) -> str:
    return f"{seconds * 1000:.3f} ms" if len(body) <= _BODY else f"{len(body) / seconds / 1e6:,.0f} MB/s"


def _bare(types: tuple[CredentialType, ...]) -> Scan:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_DOTALL
    expressions = [expression(kind) for kind in types]
    database.compile(expressions=expressions, flags=[flags] * len(expressions))
    scratch = hyperscan.Scratch(database)

    def scan(data: bytes) -> None:
        for at in range(0, len(data), _BLOCK):
            database.scan(data[at : at + _BLOCK], match_event_handler=lambda *_: None, scratch=scratch)

    return scan


def _scanner(types: tuple[CredentialType, ...], count: int) -> Scanner:
    fingerprinter, index, source = Fingerprinter(_KEY), ValueIndex(), random.Random(count)  # noqa: S311 (the same each time)
    raw = [_word(source, 20 + at % 40).encode() for at in range(count)]
    index.add([SecretValue(value=value, fingerprint=fingerprinter.of(value), preview=preview(value)) for value in raw])
    return Scanner(types, build_engine(types), fingerprinter, index)


def _word(source: random.Random, length: int) -> str:
    return "".join(source.choice(_LETTERS) for _ in range(length))


def _modules() -> list[str]:
    """Modules of the standard library, which hold no key."""
    return [path.read_text(errors="replace") for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))]


def _request(size: int) -> bytes:
    """JSON of a transcript whose tools have read source files: every line end of theirs is an escape."""
    messages: list[object] = []
    for number, text in enumerate(_modules()[20:]):
        result = {"type": "tool_result", "tool_use_id": f"toolu_{number:022}", "content": text[:12_000]}
        messages.append({"role": "user", "content": [result]})
        body = json.dumps({"model": "model", "max_tokens": 8000, "messages": messages})
        if len(body) >= size:
            return body[:size].encode()
    raise AssertionError("the standard library is larger")


def _library(size: int) -> bytes:
    text = "\n".join(_modules()).encode()
    return (text * (size // len(text) + 1))[:size]


def _log(size: int) -> bytes:
    source = random.Random(1)  # noqa: S311 (the same each time)
    lines = [
        f"2026-01-02T03:{at // 60 % 60:02}:{at % 60:02}Z INFO worker-{source.randrange(9)} GET /items/"
        f"{source.randrange(10**6)}?page={at % 17} 200 {source.randrange(10**4)} bytes in {source.random():.3f} s"
        for at in range(20_000)
    ]
    text = "\n".join(lines).encode()
    return (text * (size // len(text) + 1))[:size]


def _planted(text: bytes) -> bytes:
    """Keys of a known form, made up, at even distances."""
    source = random.Random(2)  # noqa: S311 (the same each time)
    step = len(text) // _PLANTED
    key = b"gl" + b"pat-"
    return b"".join(
        text[at : at + step] + b"\nKEY = '" + key + _word(source, 24).encode() + b"'\n"
        for at in range(0, len(text), step)
    )
