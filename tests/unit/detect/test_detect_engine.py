"""Every engine finds the same, whatever the bytes: on each type's examples in every context, and on hostile input."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import threading
from itertools import accumulate
from pathlib import Path
from urllib.parse import quote

import pytest
from detect_support import all_examples, engines, types
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentguard.detect.engine import ENGINES, available_engines, build_engine
from agentguard.detect.long_words import LONG
from agentguard.errors import ConfigError

EXAMPLES = [(identity, text.encode()) for identity, text in all_examples()]
BLOCK = 64 * 1024
APART = b"\n" + b"~" * 112 + b"\n"
FEW = types()[:8]


def all_words(data: bytes) -> bytes:
    """As `long_words`, however short the text is."""
    return b"".join(word + b" " for word in re.findall(rb"[A-Za-z0-9+/=_.-]{%d,}" % LONG, data))


def found(data: bytes) -> list[tuple[str, int, int]]:
    """What the first engine finds, once all agree."""
    results = {engine.name: engine.scan(data) for engine in engines()}
    results |= {f"{engine.name}, told the words": engine.scan(data, all_words(data)) for engine in engines()}
    first = results[engines()[0].name]
    for name, hits in results.items():
        assert hits == first, name
    return [(types()[hit.type_index].id, hit.start, hit.end) for hit in first]


def contexts(secret: bytes) -> dict[str, bytes]:
    text = secret.decode()
    return {
        "raw": secret,
        "assignment": b"TOKEN=" + secret,
        "json": json.dumps({"content": f"a line\n{text}"}).encode(),
        "json tab": b'"\\t' + secret,
        "unicode escape": b"\\u0022" + secret,
        "percent": b"a%3D" + secret,
        "percent twice": b"a%253D" + secret,
        "colour": b"\x1b[1;31m" + secret + b"\x1b[0m",
        "colour in json": b"\\u001b[31m" + secret,
        "garbage": b"\xff\x00\xfe" + secret + b"\x80\xff",
        "end": b"x" * 500 + b" " + secret,
        "adjacent": secret + b" " + secret,
    }


def test_all_four_engines_are_here() -> None:
    assert available_engines() == [(name, "") for name in ENGINES]


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ConfigError, match="no matching engine"):
        build_engine(types(), prefer="grep")


def test_each_example_is_found_in_each_context_by_each_engine() -> None:
    missed = []
    for name in contexts(b""):
        shown = [contexts(secret)[name] for _, secret in EXAMPLES]
        ends = list(accumulate(len(data) + len(APART) for data in shown))
        hits = found(APART.join(shown))
        for (identity, secret), end, data in zip(EXAMPLES, ends, shown, strict=True):
            span = range(end - len(APART) - len(data), end)
            told = any(one == identity and start in span for one, start, _ in hits)
            if not told and not (name.startswith("json") and b'"' in secret):
                missed.append((identity, name))
    assert missed == []


@pytest.mark.parametrize("before", [b"a", b"Z", b"9", b"xn", b"12"])
def test_a_token_does_not_begin_within_a_word(before: bytes) -> None:
    secret = next(secret for identity, secret in EXAMPLES if identity == "groq-key")
    assert found(before + secret) == []


def test_a_secret_over_the_border_of_a_block_is_found() -> None:
    for identity, secret in EXAMPLES[::80]:
        for size in (16 * 1024, BLOCK):
            data = b"." * (size - len(secret) // 2) + b" " + secret + b" " + b"." * 100
            assert identity in {one for one, _, _ in found(data)}, (identity, size)


PIECES = st.one_of(
    st.sampled_from([secret for _, secret in EXAMPLES]),
    st.sampled_from([secret[: len(secret) // 2] for _, secret in EXAMPLES]),
    st.sampled_from([word.encode() for kind in types() for word in kind.keywords]),
    st.sampled_from([b"\\n", b"%3D", b"\\u0022", b"\x1b[31m", b" ", b"=", b'"', b"-", b"\0", b"\xff"]),
    st.binary(max_size=20),
    st.integers(0, 20_000).map(lambda count: b"~" * count),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PIECES, max_size=12))
def test_all_engines_find_the_same_in_hostile_bytes(pieces: list[bytes]) -> None:
    found(b"".join(pieces))


def test_findings_do_not_depend_on_what_stands_before() -> None:
    secret = b" ".join(quote(secret.decode(), safe="").encode() for _, secret in EXAMPLES[:20])
    alone = found(secret)
    behind = found(b"\n" * (3 * BLOCK + 17) + secret)
    assert [(one, end - start) for one, start, end in alone] == [(one, end - start) for one, start, end in behind]


def test_the_compiled_rules_are_cached_privately_and_a_damaged_cache_is_rebuilt(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    secret = b" ".join(secret for _, secret in EXAMPLES)
    expected = build_engine(FEW, prefer="hyperscan").scan(secret)
    assert build_engine(FEW, prefer="hyperscan", cache=cache).scan(secret) == expected
    (file,) = cache.glob("rules-*")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    whole = file.read_bytes()
    for damaged in (b"", whole[:100], whole[:-1] + bytes([whole[-1] ^ 1]), b"\0" * len(whole)):
        file.write_bytes(damaged)
        assert build_engine(FEW, prefer="hyperscan", cache=cache).scan(secret) == expected
        assert file.read_bytes()[:32] == whole[:32]


def test_a_cache_of_other_rules_is_not_used(tmp_path: Path) -> None:
    build_engine(FEW[:3], prefer="hyperscan", cache=tmp_path)
    engine = build_engine(FEW, prefer="hyperscan", cache=tmp_path)
    secret = EXAMPLES[5][1]
    assert engine.scan(secret) == build_engine(FEW, prefer="python").scan(secret) != []
    kinds = [file.name.partition("-")[0] for file in tmp_path.glob("*.hsdb")]
    assert sorted(kinds) == ["rules", "words"]


@pytest.mark.skipif(os.getpriority(os.PRIO_PROCESS, 0) > 0, reason="who has stepped back takes no turn")
def test_of_processes_that_begin_at_once_one_compiles(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from agentguard.detect import hyperscan_sets as sets\n"
        "compile = sets._compile\n"
        "def told(expressions): print('compiled', flush=True); return compile(expressions)\n"
        "sets._compile = told\n"
        "many = [(b'word%d[a-z]{3,90}x{2,9}' % number, sets.ONCE) for number in range(300)]\n"
        "assert sets.ExpressionSet(many, Path(sys.argv[1]), 'many').matches(b'word7abcdefxx')\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    began = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[0] for process in began].count("compiled\n") == 1
    assert [process.returncode for process in began] == [0, 0, 0]


def test_a_cache_that_cannot_be_written_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert build_engine(types()[:3], prefer="hyperscan", cache=tmp_path / "file" / "x").scan(b"") == []


def test_threads_scan_at_once() -> None:
    data = b" ".join(secret for _, secret in EXAMPLES[::5]) * 3
    for engine in engines():
        expected, wrong = engine.scan(data), []

        def work(engine=engine, expected=expected, wrong=wrong) -> None:
            wrong.extend(1 for _ in range(3) if engine.scan(data) != expected)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
