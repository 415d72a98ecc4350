"""Streams: however a body is cut and compressed, the same is found, in bounded memory."""

from __future__ import annotations

import base64
import gzip
import random
import zlib

import brotli
import pytest
import zstandard
from detect_support import example, scanner
from hypothesis import given, settings
from hypothesis import strategies as st
from value_support import made_up, scanner_with, secret_value

from agentguard.detect import decompress, stream
from agentguard.detect.multipart import PartSplitter, boundary_of
from agentguard.detect.value_index import ValueIndex

IDENTITIES = ["openai-project-key", "github-personal-token", "aws-secret-access-key", "pem-private-key", "database-url"]
FILLER = b"The quick brown fox jumps over the lazy dog. "
BODY = b"\n".join(FILLER * 40 + example(identity).encode() + b"\n" + FILLER * 200 for identity in IDENTITIES)
CODINGS = {
    "": lambda data: data,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
    "gzip, br": lambda data: brotli.compress(gzip.compress(data)),
}


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def fed(data: bytes, sizes: list[int], **headers: str) -> list[tuple[str, str, str]]:
    """(type, place, fingerprint) of what is found when `data` comes in pieces of these sizes, again and again."""
    one = scanner().stream(**headers)
    matches, at, turn = [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        matches += one.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    matches += one.finish()
    assert one.opaque == ""
    return sorted((match.type, match.place, match.fingerprint) for match in matches)


WHOLE = fed(BODY, [len(BODY)])


def test_the_whole_body_holds_them_all() -> None:
    assert [one for one, _, _ in WHOLE] == sorted(IDENTITIES)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("sizes", [[1 << 20], [4096], [777, 1500]])
def test_pieces_and_codings_change_nothing(coding: str, sizes: list[int]) -> None:
    assert fed(CODINGS[coding](BODY), sizes, content_encoding=coding) == WHOLE


def test_deflate_without_its_header() -> None:
    assert fed(raw_deflate(BODY), [1000], content_encoding="deflate") == WHOLE


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 6000), min_size=1, max_size=6))
def test_any_cut_finds_the_same(sizes: list[int]) -> None:
    assert fed(BODY, [size + 300 for size in sizes]) == WHOLE


def test_every_cut_within_a_secret_finds_exactly_it() -> None:
    secret = example("openai-project-key").encode()
    data = b"A" * 50 + b" KEY=" + secret + b" and more " + FILLER
    expected = fed(data, [len(data)])
    assert len(expected) == 1
    for cut in range(50, 60 + len(secret)):
        assert fed(data, [cut, len(data)]) == expected


@pytest.mark.parametrize("joint", ["", "-", "_"])
def test_every_cut_within_a_followed_value_in_one_long_word_finds_it(joint: str) -> None:
    """Where nothing ends a word for longer than what is carried over, a mark within the value is no border."""
    followed = made_up(17, 3, "") + joint + made_up(22, 4, "")
    index = ValueIndex()
    index.add([secret_value(followed)])
    one_of = scanner_with(index)
    before = 9000
    data = b"A" * before + followed.encode() + b"B" * 9000
    end = before + len(followed)
    for cut in (
        before - 1,
        before,
        before + 1,
        before + 8,
        *range(before + 15, before + 20),
        *range(end - 8, end + 1, 2),
    ):
        one = one_of.stream()
        assert len([*one.feed(data[:cut]), *one.feed(data[cut:]), *one.finish()]) == 1


@pytest.mark.parametrize("joint", ["", "-", "_"])
@pytest.mark.parametrize("around", [" ", "x", "-"], ids=["words", "one word", "dashes"])
def test_every_place_of_every_size_of_pieces(joint: str, around: str) -> None:
    """The value at every place of a piece, for pieces of sizes up to its own; and at the places that matter of pieces
    about as long as what is carried over, and beyond."""
    followed = made_up(9, 3, "") + joint + made_up(11, 4, "")
    length = len(followed)
    small = {size: range(min(size, length + 1)) for size in (1, 2, 3, 5, 8, 10, length - 1, length, length + 1)}
    large = dict.fromkeys((4095, 4096, 4097, 9000), (0, 1, length // 2, length - 1, length))
    index = ValueIndex()
    index.add([secret_value(followed)])
    one_of = scanner_with(index)
    token = example("github-personal-token")
    for size, places in {**small, **large}.items():
        for place in places:
            before = around * ((size if size < 4000 else 2 * size) - place)
            data = f"{before}{followed}{around * 40} {token} {around * 9}".encode()
            one = one_of.stream()
            found = [match for at in range(0, len(data), size) for match in one.feed(data[at : at + size])]
            assert sorted(match.type for match in [*found, *one.finish()]) == ["github-personal-token", "known-value"]


def test_a_secret_over_the_border_of_the_large_windows() -> None:
    secret = example("openai-project-key").encode()
    for shift in (0, 1, 40, 164):
        data = b"~ " * (1 << 19)
        data = data[: len(data) - shift] + b" " + secret + b" " + FILLER
        assert [match.type for match in scanner().scan(data)] == ["openai-project-key"]
        hidden = base64.b64encode(data[-4000:])
        wide = b"~ " * ((1 << 19) - 1000) + hidden
        assert "openai-project-key" in {match.type for match in scanner().scan(wide)}


def test_a_body_that_never_ends_is_held_in_bounded_memory() -> None:
    one = scanner().stream()
    noise = random.Random(1).randbytes(100_000)
    for _ in range(40):
        assert one.feed(noise) == []
        assert len(one._text._text._pending) <= 64 << 10


def test_a_bomb_is_opaque(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MAX_OUTPUT", 4 << 20)
    bomb = gzip.compress(gzip.compress(bytes(64 << 20)))
    scan = scanner().scan_body(bomb, content_encoding="gzip, gzip")
    assert scan.opaque.startswith("more than 4 MB come out")
    assert decompress.MAX_OUTPUT == 64 << 20


def test_multipart_in_any_pieces() -> None:
    parts = [example(identity) for identity in IDENTITIES]
    body = "".join(
        f'--XyZ\r\nContent-Disposition: form-data; name="f{at}"\r\n\r\n{part}\r\n' for at, part in enumerate(parts)
    )
    data = (body + "--XyZ--\r\n").encode()
    headers = {"content_type": "multipart/form-data; boundary=XyZ"}
    whole = fed(data, [len(data)], **headers)
    assert {place for _, place, _ in whole} == {f"multipart:f{at}" for at in range(len(parts))}
    for size in (1, 7, 64, 500):
        assert fed(data, [size], **headers) == whole


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.integers(1, 50))
def test_the_splitter_loses_no_byte_and_never_raises(data: bytes, size: int) -> None:
    splitter = PartSplitter(b"ab")
    pieces = [piece for at in range(0, len(data), size) for piece in splitter.feed(data[at : at + size])]
    pieces += splitter.feed(b"", final=True)
    if b"--ab" not in data:
        assert b"".join(piece.data for piece in pieces) == data


def test_boundaries() -> None:
    assert boundary_of("multipart/form-data; charset=utf-8; boundary=abc") == b"abc"
    assert boundary_of('Multipart/Mixed; boundary="a b"') == b"a b"
    assert boundary_of("application/json") is None


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_a_key_in_utf_16_in_the_middle_of_a_piece_waits_for_nothing(order: str) -> None:
    key, filler = example("openai-project-key"), b"words and more\n" * 2000
    stream = scanner().stream()
    matches = stream.feed(filler + b" " + key.encode(order) + b" " + filler)
    assert {match.type for match in [*matches, *stream.finish()]} == {"openai-project-key"}
