"""A body that nobody can read without a key is said to be so; ordinary binaries are not."""

from __future__ import annotations

import array
import base64
import bz2
import gzip
import io
import json
import lzma
import marshal
import random
import struct
import sys
import sysconfig
import tarfile
import zipfile
import zlib
from pathlib import Path

import brotli
import pytest
import zstandard
from detect_support import scanner

from agentguard.detect.sealed import SAMPLE, why_sealed

SOURCE = random.Random(31)
TEXT = Path(random.__file__).read_bytes()


def noise(size: int) -> bytes:
    return SOURCE.randbytes(size)


def jwe() -> bytes:
    parts = (b'{"alg":"RSA-OAEP","enc":"A256GCM"}', noise(256), noise(12), noise(300), noise(16))
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)


SEALED = {
    "openssl": b"Salted__" + noise(200),
    "openssl in base64": base64.encodebytes(b"Salted__" + noise(200)),
    "age": b"age-encryption.org/v1\n-> X25519 abc\n" + noise(300),
    "pgp armour": b"-----BEGIN PGP MESSAGE-----\n\n" + base64.encodebytes(noise(300)),
    "pgp": b"\x85\x02\x0c\x03" + noise(700),
    "jwe": jwe(),
    "7-Zip": b"7z\xbc\xaf\x27\x1c" + noise(300),
    "rar": b"Rar!\x1a\x07" + noise(300),
    "lz4": b"\x04\x22\x4d\x18" + noise(300),
    "cipher text": noise(300),
    "much cipher text": noise(100_000),
    "cipher text in base64": base64.b64encode(noise(900)),
    "cipher text in wrapped base64url": base64.urlsafe_b64encode(noise(900)),
    "cipher text behind a header": b"v1;key=7;" + noise(4000),
}


@pytest.mark.parametrize("name", SEALED)
def test_what_is_sealed_is_told(name: str) -> None:
    assert scanner().scan_body(SEALED[name]).opaque
    part = b'--edge\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n%b\r\n--edge--\r\n'
    assert scanner().scan_body(part % SEALED[name], content_type="multipart/form-data; boundary=edge").opaque


def test_nearly_all_cipher_text_is_told() -> None:
    for size in (256, 500, 1500, 3000, 5000):
        told = sum(bool(why_sealed(noise(size)[:SAMPLE])) for _ in range(200))
        assert told >= 197, size


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        archive.add(random.__file__, "random.py")
    return file.getvalue()


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("random.py", TEXT)
    return file.getvalue()


READABLE = {
    "text": TEXT,
    "text in UTF-8": ("Grüße aus Köln, 日本語, русский текст. " * 200).encode(),
    "text in UTF-16": TEXT.decode().encode("utf-16"),
    "text in base64": base64.b64encode(TEXT),
    "hex": noise(2000).hex().encode(),
    "json": json.dumps({"ids": [noise(16).hex() for _ in range(200)]}).encode(),
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + noise(5000),
    "png in base64": base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + noise(5000)),
    "png in an envelope": b"\x0a\x05image\x12\x90\x4e" + b"\x89PNG\r\n\x1a\n" + noise(5000),
    "jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF" + noise(5000),
    "webp": b"RIFF\x24\x27\0\0WEBPVP8 " + noise(5000),
    "mp4": b"\0\0\0\x20ftypisom" + noise(5000),
    "woff2": b"wOF2\0\x01\0\0" + noise(5000),
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + noise(5000),
    "wasm": b"\0asm\x01\0\0\0" + noise(5000),
    "gzip": gzip.compress(TEXT),
    "zlib": zlib.compress(TEXT),
    "xz": lzma.compress(TEXT),
    "bzip2": bz2.compress(TEXT),
    "zstd": zstandard.compress(TEXT),
    "tar.gz": tarred(),
    "zip": zipped(),
    "python bytecode": marshal.dumps(compile(TEXT, "random", "exec")),
    "this Python": Path(sys.executable).resolve().read_bytes()[:300_000],
    "floats": array.array("f", [SOURCE.gauss(0, 1) for _ in range(4000)]).tobytes(),
    "records": b"".join(struct.pack("<IQ", at, 1_700_000_000 + at) for at in range(500)),
    "short ids": noise(120),
}


@pytest.mark.parametrize("name", READABLE)
def test_what_is_ordinary_is_not(name: str) -> None:
    assert scanner().scan_body(READABLE[name]).opaque == ""


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_a_coding_that_is_undone_is_not(coding: str) -> None:
    pack = brotli.compress if coding == "br" else gzip.compress
    assert scanner().scan_body(pack(TEXT), content_encoding=coding).opaque == ""


def test_the_files_of_an_installation_are_not() -> None:
    """Of 60,000 ordinary files four were said to be sealed: a signature, a key ring, random base64, one program."""
    files = [path for path in Path(sysconfig.get_path("stdlib")).rglob("*") if path.is_file()][:4000]
    told = [path.name for path in files if why_sealed(path.read_bytes()[:SAMPLE])]
    assert len(told) <= len(files) // 1000, told
