"""The decoder's loops in C do what their Python twins do, byte for byte."""

from __future__ import annotations

import base64
import itertools
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentguard.detect import decode, decode_runs, file_views
from agentguard.detect.decode import Views, unescape
from agentguard.detect.decode_runs import SHORTEST, spans
from agentguard.detect.long_words import LINE, LONG
from agentguard.detect.magics import MAGICS
from agentguard.detect.native_loops import Loops
from agentguard.native import build

pytestmark = pytest.mark.skipif(not build.compiler(), reason="no C compiler")

WORDS = st.lists(
    st.one_of(
        st.sampled_from(
            [b"\\", b"\\n", b"\\u00", b"\\x4", b"41", b"\\\\", b"\n", b" ", b"A" * 23, b"b" * 30, b"x\x9c"]
        ),
        st.binary(max_size=70),
        st.from_regex(rb"\A[A-Za-z0-9+/_-]{1,90}\Z"),
    ),
    max_size=12,
).map(b"".join)

WRAPPED = st.tuples(
    st.binary(min_size=20, max_size=300),
    st.sampled_from([24, 48, 60, 76]),
    st.sampled_from([b"\n", b"\r\n", b"\n  "]),
).map(lambda drawn: drawn[2].join(base64.b64encode(drawn[0])[at : at + drawn[1]] for at in range(0, 404, drawn[1])))


@pytest.fixture(scope="module")
def loops(tmp_path_factory: pytest.TempPathFactory) -> Loops:
    return Loops(str(build.build("views", tmp_path_factory.mktemp("native"))))


@settings(max_examples=300, deadline=None)
@given(WORDS)
def test_the_twins_agree(loops: Loops, data: bytes) -> None:
    assert loops.unescape(data) == unescape(data)
    for text in (data, b"%4" + data, data.replace(b"A", b"%4a")):
        code = decode._PERCENT.search(text, 1)
        assert loops.percent(text, min(1, len(text))) == (code.start() if code else -1)
    for text in (
        data,
        data.replace(b"n", b"%"),
        data.replace(b"\\", b"%25").replace(b"A", b"%4a").replace(b"u", b"2525"),
    ):
        assert loops.unpercent(text) == decode.unpercent(text)
    for text in (data, data.replace(b"A", b"\\u0041"), data.replace(b"b", b"\\x62").replace(b" ", b"/")):
        escape = file_views._ESCAPED.search(text)
        assert loops.escape(text) == (escape.start() if escape else -1)
    for shortest in (1, 2, 24, 63):
        worth = [(start, end) for start, end in spans(data, shortest) if data[end : end + 1] in (b"\r", b"\n")]
        assert [
            span for span in loops.spans(data, shortest, 0) if data[span[1] : span[1] + 1] in (b"\r", b"\n")
        ] == worth


@settings(max_examples=300, deadline=None)
@given(st.one_of(WORDS, st.text("ABCDEFabcdef0123456789+/_-", min_size=24, max_size=300).map(str.encode)))
def test_only_what_decodes_to_nothing_is_left_out(loops: Loops, data: bytes) -> None:
    kept = set(loops.spans(data, SHORTEST, LINE))
    for start, end in set(spans(data, SHORTEST)) - kept:
        assert end - start < LINE or data[end : end + 1] not in (b"\r", b"\n")
        assert decode_runs._decode_run(data[start:end]) is None


WIDE = st.lists(
    st.one_of(
        st.text("ab \n~", max_size=20).map(lambda text: text.encode("utf-16-le")),
        st.text("ab \n~", max_size=20).map(lambda text: text.encode("utf-16-be")),
        st.sampled_from([b"\0", b"\0\0", b"a", b"\x80\0", b"ab"]),
    ),
    max_size=8,
).map(b"".join)


@settings(max_examples=100, deadline=None)
@given(WIDE)
def test_the_same_wide_text_is_narrowed(loops: Loops, data: bytes) -> None:
    assert loops.narrow(data, 8) == decode.narrow(data)


def test_every_short_text_that_is_encoded_is_kept(loops: Loops) -> None:
    text = b"key = 'somewhat hidden' and so on, and on"
    coders = (base64.b64encode, base64.urlsafe_b64encode, base64.b32encode, lambda data: data.hex().encode())
    for encode, length, before in itertools.product(coders, range(18, 36), (b"", b"a", b"Ab", b"xyz")):
        run = before + encode(text[:length]).rstrip(b"=")
        if decode_runs._decode_run(run) is not None:
            assert len(run) < SHORTEST or list(loops.spans(b'"' + run + b'"', SHORTEST, LINE))
    for magic in decode_runs._ENCODED_MAGIC:
        run = magic + b"wxyz" * 8
        assert list(loops.spans(run, SHORTEST, LINE)) == [(0, len(run))]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([b"A.b=c/", b"-_+", b"0" * 15, b"z" * 61, b" ", b"\\", b"\0", b"\xe9"])).map(b"".join))
def test_words(loops: Loops, data: bytes) -> None:
    for shortest in (1, LONG, 64):
        words = re.findall(rb"[A-Za-z0-9+/=_.-]{%d,}" % shortest, data)
        assert loops.words(data, shortest, len(data) + 1) == b"".join(word + b" " for word in words)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(WRAPPED, WORDS)).map(b" ".join))
def test_the_long_words_have_the_runs_of_the_text(loops: Loops, data: bytes) -> None:
    """Those that decode to something: of a short text the others are not left out."""
    words, text = (
        [run for run in decode_runs._runs(kept) if decode_runs._decode_run(run) is not None]
        for kept in (loops.words(data, LONG, LINE), data)
    )
    assert words == text


def test_more_spans_than_one_call_gives(loops: Loops) -> None:
    source = random.Random(4)
    data = b"\n".join(b"k" * source.randrange(60, 90) for _ in range(2000)) + b"\n"
    assert list(loops.spans(data, SHORTEST, LINE)) == list(spans(data, SHORTEST))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([b"\n", b"a", b"\xff", *MAGICS.values(), b"\x1f\x8b", b"P"]), max_size=20).map(b"".join)
)
def test_compressed_forms_begin_at_the_same_places(loops: Loops, data: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decode, "loops_for", lambda _size: None)
        plain = decode._packed(data)
        patch.setattr(decode, "loops_for", lambda _size: loops)
        assert decode._packed(data) == plain


def test_the_views_are_the_same_without_c(loops: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    text = Path(__file__).read_bytes().replace(b"\n", b"\\n") + base64.encodebytes(bytes(range(32, 127)) * 40)
    monkeypatch.setattr(decode, "loops_for", lambda _size: loops)
    monkeypatch.setattr(decode_runs, "loops_for", lambda _size: loops)
    with_c = [(view.encoding, view.data) for view in Views(text)]
    monkeypatch.setattr(decode, "loops_for", lambda _size: None)
    monkeypatch.setattr(decode_runs, "loops_for", lambda _size: None)
    assert with_c == [(view.encoding, view.data) for view in Views(text)]
    assert len(with_c) > 2


def test_the_scanner_alone_loads_nothing_of_it() -> None:
    """The commit hook imports the scanner: neither ctypes nor what compiles C is to be paid for by small texts."""
    code = (
        "import sys; from agentguard.detect.decode import Views; list(Views(b'a\\\\nb' * 99));"
        "print([name for name in ('ctypes', 'agentguard.native.build') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
