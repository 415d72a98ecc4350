"""Views: every encoding is peeled off, alone and upon another, and nothing hostile costs much or raises."""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import os
import zlib
from urllib.parse import quote

import brotli
import pytest
import zstandard
from detect_support import example, scanner
from hypothesis import given, settings
from hypothesis import strategies as st

from agentguard.detect.decode import Views
from agentguard.detect.decompress import inflate
from agentguard.detect.magics import MAGICS

SECRET = example("github-personal-token")
WORDS = f"hello there, the token is {SECRET} and that is all"
RAW = WORDS.encode()


def chains(data: bytes) -> list[tuple[str, ...]]:
    """Encoding chains under which the secret stands plainly."""
    return [view.encoding for view in Views(data) if SECRET.encode() in view.data]


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(char):04x}" for char in text)


ENCODED = {
    ("json",): escaped(WORDS).encode(),
    ("percent",): "".join(f"%{byte:02X}" for byte in RAW).encode(),
    ("ansi",): RAW[:30] + b"\x1b[1m" + RAW[30:],
    ("base64",): b'{"data":"' + base64.b64encode(RAW) + b'"}',
    ("base64url",): b"x=" + base64.urlsafe_b64encode(b"\xc3\xbe\xc3\xbf>>>???" + RAW),
    ("hex",): b"dump: " + RAW.hex().encode(),
    ("base32",): base64.b32encode(RAW),
    ("utf-16",): WORDS.encode("utf-16"),
    ("gzip",): gzip.compress(RAW),
    ("zstd",): zstandard.compress(RAW),
    ("deflate",): zlib.compress(RAW),
    ("base64", "gzip"): base64.b64encode(gzip.compress(RAW)),
    ("base64", "base64"): base64.b64encode(base64.b64encode(RAW)),
    ("base64", "utf-16"): base64.b64encode(WORDS.encode("utf-16-le")),
    ("hex", "base64"): base64.b64encode(RAW).hex().encode(),
    ("json", "base64"): json.dumps({"file": base64.encodebytes(RAW * 3).decode()}).encode(),
    ("percent", "base64"): quote(base64.encodebytes(RAW * 3).decode()).encode(),
    ("json", "percent"): escaped(quote(f"{WORDS}%%")).encode().replace(b"g", b"%67"),
}


@pytest.mark.parametrize("chain", ENCODED, ids="+".join)
def test_what_is_encoded_is_seen(chain: tuple[str, ...]) -> None:
    data = ENCODED[chain]
    assert [match.type for match in scanner().scan(data)] == ["github-personal-token"]
    if chain not in (("ansi",), ("zstd",)):  # zstd keeps what it cannot shorten
        assert SECRET.encode() not in data
    assert chain in chains(data)


def test_utf16_of_either_order_without_a_mark() -> None:
    for encoding in ("utf-16-le", "utf-16-be"):
        assert ("utf-16",) in chains(b"\xff\x01" * 3 + "  ".encode(encoding) + WORDS.encode(encoding))


def test_a_wrapped_base64_run_is_one_with_every_line_end() -> None:
    for end in (b"\n", b"\r\n"):
        assert ("base64",) in chains(base64.encodebytes(RAW * 4).replace(b"\n", end))


def test_base64_behind_a_word_of_any_length() -> None:
    for length in range(6):
        assert ("base64",) in chains(b"abcdef"[:length] + base64.b64encode(RAW * 4))


def test_nested_json_at_every_depth() -> None:
    data = f'{{"url": "x\\/y", "token": "{escaped(SECRET)}"}}'
    for _ in range(4):
        assert ("json",) in chains(data.encode())
        data = json.dumps({"arguments": data})


def test_percent_more_than_once() -> None:
    data = "".join(f"%{byte:02x}" for byte in RAW)
    for _ in range(3):
        assert ("percent",) in chains(data.encode())
        data = data.replace("%", "%25")


def test_utf16_at_an_odd_place_and_behind_a_mark() -> None:
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        for before in (b"", b"x", b"\0", b"xyz\xff"):
            assert ("utf-16",) in chains(before + WORDS.encode(encoding))


@pytest.mark.parametrize("prefix", [b"data:text/plain;base64,", b"data:;base64,", b"b64:", b"Basic "])
def test_base64_behind_a_prefix(prefix: bytes) -> None:
    assert ("base64",) in chains(prefix + base64.b64encode(RAW))


def test_wrapped_runs_of_every_alphabet() -> None:
    for encode, encoding in ((base64.b32encode, "base32"), (lambda data: data.hex().encode(), "hex")):
        run = encode(RAW * 4)
        for end in (b"\n", b"\r\n"):
            assert (encoding,) in chains(end.join(run[at : at + 64] for at in range(0, len(run), 64)))


def test_escapes_of_bytes() -> None:
    assert ("json",) in chains("".join(f"\\x{byte:02x}" for byte in RAW).encode())
    assert ("json",) in chains(b'printf "' + "".join(f"\\x{byte:02X}" for byte in RAW).encode() + b'"')


def test_what_is_compressed_is_undone_once() -> None:
    """In a view without its escapes the bytes are others: bzip2 made megabytes of them, and the body was a gap."""
    words = b"".join(b"%d of %x\n" % (at, at * at) for at in range(3000))
    for pack in (gzip.compress, zlib.compress, bz2.compress, zstandard.compress):
        packed = pack(words) + b"\\"
        assert b"\\" in packed[:-1]
        assert sum(len(view.encoding) > 0 and view.encoding[-1] in MAGICS for view in Views(packed)) == 1


def test_nothing_to_decode_makes_no_view() -> None:
    plain = b"The quick brown fox jumps over the lazy dog, and so on. " * 100
    assert [view.encoding for view in Views(plain)] == [()]
    assert [view.encoding for view in Views(base64.b64encode(os.urandom(3000)))] == [()]


def test_a_bomb_within_text_is_bounded_and_told() -> None:
    views = Views(base64.b64encode(gzip.compress(bytes(40 << 20))))
    assert sum(len(view.data) for view in views) < 8 << 20
    assert views.truncated


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd", "br"])
def test_inflate_stops_at_its_limit(coding: str) -> None:
    compress = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress, "br": brotli.compress}
    bomb = compress[coding](bytes(8 << 20))
    assert len(inflate(coding, bomb, 1 << 20)) == 1 << 20
    assert inflate(coding, b"\xff\xfenot compressed at all", 100) == b""


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", b"\\", b"%", b"\x1b[", b"a\0b\0", b"\x1f\x8b\x08", b"A" * 30]))
def test_hostile_bytes_never_raise(data: bytes, part: bytes) -> None:
    for mixed in (data, part + data, data + part, part.join([data, data, data])):
        assert next(iter(Views(mixed))).data == mixed
        scanner().scan(mixed)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.lists(st.sampled_from(["json", "percent", "base64", "hex"]), max_size=2))
def test_two_encodings_upon_each_other_are_peeled(text: str, encodings: list[str]) -> None:
    encode = {
        "json": lambda data: json.dumps({"a": data.decode()}).encode(),
        "percent": lambda data: quote(data, safe="").encode(),
        "base64": base64.b64encode,
        "hex": lambda data: data.hex().encode(),
    }
    data = f"this is a line of text\n{SECRET}\n".encode() + text.encode("utf-8", "replace")
    for encoding in encodings:
        data = encode[encoding](data)
    assert [match.type for match in scanner().scan(data)][:1] == ["github-personal-token"]
