"""Archives and compressed files that are sent as they are, and what waits at the end of a body."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from random import Random

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from value_support import made_up, scanner_with, secret_value

from agentguard.detect.stream import BodyScan
from agentguard.detect.value_index import ValueIndex

SECRET = made_up(32, 7, "-")
FILE = f"# settings of the shop\nTOKEN={SECRET}\nPORT=3000\n".encode() * 3
INDEX = ValueIndex()
INDEX.add([secret_value(SECRET)])
SCANNER = scanner_with(INDEX)
NOISE = Random(1).randbytes(1 << 20).translate((b"abcdefghijklmnopqrstuvwxyz .,;-\n" * 8)[:256]) + b"\n"
"""Longer than one window, and nothing in it: of noise drawn anew, one megabyte in twenty has the form of some key.
It compresses: no packer leaves it, or what follows, as it is."""


def zipped(data: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("noise", NOISE[:5000])
        archive.writestr(".env", data)
    return file.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": partial(lzma.compress, preset=0),
    "bzip2": partial(bz2.compress, compresslevel=1),
    "zstd": zstandard.compress,
    "deflate": zlib.compress,
    "zip": zipped,
}


def in_pieces(data: bytes, size: int, content_type: str = "") -> BodyScan:
    stream = SCANNER.stream(content_type=content_type)
    matches = [match for at in range(0, len(data), size) for match in stream.feed(data[at : at + size])]
    return BodyScan([*matches, *stream.finish()], stream.opaque)


@pytest.mark.parametrize("coding", PACKERS)
def test_an_archive_longer_than_a_window_is_read_to_its_end(coding: str) -> None:
    packed = PACKERS[coding](NOISE + FILE + NOISE)
    scan = in_pieces(packed, 60_000)
    found = [match.encoding[:1] for match in scan.matches]
    assert found == [() if SECRET.encode() in packed else (coding,)], "a packer may leave a short run as it is"
    assert scan.opaque == ""


@pytest.mark.parametrize("coding", PACKERS)
def test_an_archive_in_a_form_field(coding: str) -> None:
    part = b'--edge-91\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body = part + PACKERS[coding](NOISE[:2000] + FILE + NOISE[:2000]) + b"\r\n--edge-91--\r\n"
    scan = in_pieces(body, 700, "multipart/form-data; boundary=edge-91")
    assert [match.place for match in scan.matches] == ["multipart:file"]
    assert scan.opaque == ""


@pytest.mark.parametrize("coding", ["xz", "bzip2", "zip"])
def test_an_archive_in_base64(coding: str) -> None:
    scan = SCANNER.scan_body(base64.encodebytes(PACKERS[coding](FILE)))
    assert [match.encoding[:2] for match in scan.matches] == [("base64", coding)]


def test_what_cannot_be_opened_is_said_to_be_opaque() -> None:
    assert "OpenSSL" in SCANNER.scan_body(b"Salted__" + NOISE[:500]).opaque
    assert "7-Zip" in SCANNER.scan_body(b"7z\xbc\xaf\x27\x1c" + NOISE[:500]).opaque
    assert "zip archive" in SCANNER.scan_body(zipped(NOISE[:500] + FILE, zipfile.ZIP_BZIP2)).opaque


@pytest.mark.parametrize("start", [b"BZh", b"\x1f\x8b\x08", b"PK\x03\x04", b"\xfd7zXZ\0", b"x\x9c"])
def test_text_that_begins_like_an_archive_is_still_text(start: bytes) -> None:
    assert SCANNER.scan_body(start + b" " + SECRET.encode()).matches


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\0", b"}"])
@pytest.mark.parametrize("encode", [base64.b64encode, lambda data: data.decode().encode("utf-16")])
def test_an_encoded_secret_at_the_very_end_of_a_body(encode: Callable[[bytes], bytes], end: bytes) -> None:
    body = encode(b"the last thing said is " + SECRET.encode()) + end
    assert SCANNER.scan_body(body).matches
    assert in_pieces(body, 7).matches


@settings(max_examples=12, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(sorted(PACKERS)), st.integers(1, 50))
def test_hostile_bytes_never_raise(noise: bytes, coding: str, at: int) -> None:
    packed = PACKERS[coding](FILE)
    in_pieces(packed[:at] + noise + packed[at:], 13)
