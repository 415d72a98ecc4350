"""A followed value is found plain and encoded, in one pass, while others are added."""

from __future__ import annotations

import base64
import codecs
import json
import re
import threading
import time
import urllib.parse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from value_support import made_up, secret_value

from agentguard.detect import value_index
from agentguard.detect.long_words import LONG
from agentguard.detect.value_index import ValueIndex
from agentguard.detect.value_matcher import Matcher

VALUE = made_up(20, 1, "/+\"'&<% é") + 'é~?>&"<'
HTML_SAFE = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
RAW = VALUE.encode()


def test_the_value_has_a_form_of_its_own_in_every_encoding() -> None:
    assert base64.b64encode(RAW) != base64.urlsafe_b64encode(RAW)
    assert json.dumps(VALUE)[1:-1] != json.dumps(VALUE, ensure_ascii=False)[1:-1] != VALUE


def index_of(*values: bytes | str, pure_python: bool = False) -> ValueIndex:
    index = ValueIndex(pure_python=pure_python)
    index.add([secret_value(value) for value in values])
    return index


@pytest.mark.parametrize("pure_python", [False, True])
@pytest.mark.parametrize(
    ("form", "encoding"),
    [
        (RAW, ()),
        (json.dumps(VALUE).encode(), ("json",)),
        (json.dumps(VALUE, ensure_ascii=False).encode(), ("json",)),
        (json.dumps(VALUE, ensure_ascii=False).translate(HTML_SAFE).encode(), ("json",)),
        (json.dumps(VALUE).replace("/", "\\/").encode(), ("json",)),
        (json.dumps(json.dumps(VALUE)).encode(), ("json",)),
        (urllib.parse.quote(VALUE, safe="").encode(), ("percent",)),
        (urllib.parse.quote(VALUE).encode(), ("percent",)),
        (urllib.parse.quote_plus(VALUE).encode(), ("percent",)),
        (RAW.hex().encode(), ("hex",)),
        (RAW.hex().upper().encode(), ("hex",)),
        (base64.b64encode(RAW), ("base64",)),
        (base64.urlsafe_b64encode(RAW), ("base64url",)),
        (RAW[::-1], ("reversed",)),
        (codecs.encode(RAW.decode(), "rot13").encode(), ("rot13",)),
    ],
)
def test_forms(form: bytes, encoding: tuple[str, ...], pure_python: bool) -> None:
    hits = index_of(VALUE, pure_python=pure_python).scan(b"before " + form + b" after")
    assert encoding in {hit.encoding for hit in hits}
    assert {hit.value.value for hit in hits} == {RAW}


def test_lower_case_percent_escapes() -> None:
    value = made_up(16, 3) + "/=" + made_up(8, 4)
    quoted = value.replace("/", "%2f").replace("=", "%3d")
    assert index_of(value).scan(quoted.encode())[0].encoding == ("percent",)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=7), st.binary(min_size=8, max_size=60), st.binary(max_size=7), st.booleans())
def test_base64_in_every_alignment(before: bytes, value: bytes, after: bytes, url_safe: bool) -> None:
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    assert index_of(value).scan(encode(before + value + after))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(st.binary(min_size=1, max_size=12), st.from_regex(rb"\A[%@]?[A-Za-z0-9+/=_.-]{15,40}[%@]?\Z")),
        min_size=1,
        max_size=6,
    ),
    st.lists(st.one_of(st.integers(0, 5), st.binary(max_size=6)), max_size=12),
)
def test_the_fallback_finds_the_same(values: list[bytes], pieces: list[int | bytes]) -> None:
    data = b"".join(piece if isinstance(piece, bytes) else values[piece % len(values)] for piece in pieces)
    found = index_of(*values, pure_python=True).scan(data)
    assert index_of(*values).scan(data) == found
    words = b" ".join(re.findall(rb"[A-Za-z0-9+/=_.-]{%d,}" % LONG, data))
    assert index_of(*values).scan(data, words) == found


def test_spans_are_those_of_the_form_found() -> None:
    data = b"x=" + base64.b64encode(b"ab" + RAW) + b"&y=" + RAW
    for hit in index_of(VALUE).scan(data):
        assert 0 <= hit.start < hit.end <= len(data)
        if not hit.encoding:
            assert data[hit.start : hit.end] == RAW


def test_values_within_each_other_are_all_found() -> None:
    inner = made_up(12, 5)
    url = f"postgres://a:{inner}@db.example/x"
    assert {hit.value.value for hit in index_of(inner, url).scan(url.encode())} == {inner.encode(), url.encode()}


def test_adding_twice_is_adding_once() -> None:
    index = ValueIndex()
    values = [secret_value(made_up(20, seed)) for seed in range(10)]
    assert index.add(values) == 10
    assert index.add(values) == 0
    assert index.add([*values, secret_value(made_up(20, 99))]) == 1
    assert len(index) == 11
    assert len(index.scan(values[3].value)) == 1


def test_parts_of_one_secret_share_its_fingerprint() -> None:
    whole = secret_value(made_up(40, 1))
    lines = [secret_value(made_up(64, seed)) for seed in (2, 3)]
    index = ValueIndex()
    same = [type(line)(value=line.value, fingerprint=whole.fingerprint, preview=whole.preview) for line in lines]
    assert index.add(same) == 2
    assert {hit.value.fingerprint for line in lines for hit in index.scan(line.value)} == {whole.fingerprint}


def test_nothing_known_finds_nothing_and_an_empty_value_is_refused() -> None:
    index = ValueIndex()
    assert index.scan(b"anything") == []
    assert index.add([secret_value(b"")]) == 0
    assert index.scan(b"") == []


def test_thousands_grow_in_batches_and_stay_found() -> None:
    index = ValueIndex()
    values = [secret_value(made_up(24, seed)) for seed in range(600)]
    for start in range(0, len(values), 30):
        index.add(values[start : start + 30])
    assert len(index) == 600
    data = b" ".join(value.value for value in values)
    assert [hit.value.value for hit in index.scan(data) if not hit.encoding] == [value.value for value in values]


def test_what_is_new_does_not_wait_for_the_parts_to_be_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    index = index_of(*(made_up(24, seed) for seed in range(100)))
    build, go_on = value_index.build_matcher, threading.Event()

    def build_slowly(literals: list[bytes]) -> Matcher:
        if threading.current_thread() is not threading.main_thread():
            assert go_on.wait(20)
        return build(literals)

    monkeypatch.setattr(value_index, "build_matcher", build_slowly)
    values = [secret_value(made_up(24, seed)) for seed in range(100, 240)]
    for value in values:
        index.add([value])
        assert len(index.scan(value.value)) == 1
    assert index._merging
    go_on.set()
    end = time.monotonic() + 20
    while index._merging:
        assert time.monotonic() < end
        time.sleep(0.001)
    assert (len(index), [len(index.scan(value.value)) for value in values]) == (240, [1] * 140)
    assert len(index._parts[0].values) > 100


def test_fifty_values_are_added_in_milliseconds() -> None:
    """An open waits for it. Of processor time, and the bound is five times the measure: the machine is shared."""
    values = [secret_value(made_up(40, seed)) for seed in range(50)]
    best = 1.0
    for _ in range(5):
        index = ValueIndex()
        begin = time.thread_time()
        index.add(values)
        best = min(best, time.thread_time() - begin)
    assert best < 0.04


def test_readers_never_see_half_an_index() -> None:
    index = ValueIndex()
    first = secret_value(made_up(24, 0))
    index.add([first])
    stop = threading.Event()
    missed: list[int] = []

    def read() -> None:
        while not stop.is_set():
            if len(index.scan(first.value)) != 1:
                missed.append(1)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for seed in range(1, 80):
        index.add([secret_value(made_up(24, seed))])
    stop.set()
    for reader in readers:
        reader.join()
    assert missed == []


def test_repr_shows_no_value() -> None:
    index = index_of(VALUE)
    assert VALUE not in repr(index)
    assert VALUE not in repr(index.scan(RAW))
