"""Encoded runs inside text: base64 (both alphabets), hex, base32. Found cheaply, decoded only where text comes out."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from agentguard.detect.long_words import LINE
from agentguard.detect.loops import loops_for

SHORTEST = 24
"""Characters; a shorter run holds no more than 18 bytes, which the index of known values looks for by itself."""

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_MASK = bytes(0x61 if byte in _BASE64 else 0x20 for byte in range(256))
"""Run characters become `a`, all else a blank: then a run is found by `bytes.find`."""
_NEXT_LINE = re.compile(rb"\r?\n[ \t]*([A-Za-z0-9+/_-]+)")
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_SAMPLE = 64
_NOT_TEXT = bytes(byte for byte in range(32) if byte not in b"\t\n\r\x1b") + b"\x7f"
_MAGIC = (
    b"\x1f\x8b\x08",
    b"\x28\xb5\x2f\xfd",
    b"\x78\x9c",
    b"\x78\x01",
    b"\x78\xda",
    b"\x78\x5e",
    b"\xfd7zXZ\0",
    b"BZh",
    b"PK\x03\x04",
)
_ENCODED_MAGIC = (b"H4sI", b"KLUv", b"eJ", b"eN", b"eF", b"eA", b"/Td6W", b"Qlpo", b"UEsDB")
_FIRST_OF_ASCII = b"IJKLMNOPQRSTUVWXYZabcdef"
"""Where a base64 group of four begins, ASCII text has only these; random bytes have them three times in eight."""
_HEX = re.compile(rb"[0-9a-fA-F]+\Z")
_BASE32 = re.compile(rb"[A-Z2-7]+\Z")
_NO_DIGIT = re.compile(rb"[^0-9]+\Z")


def decode_runs(data: bytes, seen: set[bytes], budget: int) -> tuple[dict[str, bytes], bool]:
    """What the runs of `data` decode to, by encoding, joined by line ends.

    Args:
        data: the text, or its long words: the runs of both are the same.
        seen: runs decoded before, which are left out; those of this text are added.
        budget: most bytes to decode to.

    Returns:
        The texts, and whether the budget sufficed.
    """
    out: dict[str, list[bytes]] = {}
    for run in _runs(data):
        if run in seen:
            continue
        seen.add(run)
        found = _decode_run(run)
        if found is None:
            continue
        if len(found[1]) > budget:
            return _joined(out), False
        out.setdefault(found[0], []).append(found[1])
        budget -= len(found[1])
    return _joined(out), True


def _joined(parts: dict[str, list[bytes]]) -> dict[str, bytes]:
    return {encoding: b"\n".join(texts) for encoding, texts in parts.items()}


def _runs(data: bytes) -> Iterator[bytes]:
    """Every run of base64 characters, lines of a wrapped one joined."""
    native = loops_for(len(data))
    done = 0
    for start, end in native.spans(data, SHORTEST, LINE) if native else spans(data, SHORTEST):
        if start < done:
            continue
        done = _wrapped_end(data, start, end) if end - start >= LINE else end
        yield data[start:end] if done == end else b"".join(data[start:done].split())


def spans(data: bytes, shortest: int) -> Iterator[tuple[int, int]]:
    """Start and end of every run of `shortest` base64 characters or more."""
    mask = data.translate(_MASK)
    needle = b"a" * shortest
    at = mask.find(needle)
    while at >= 0:
        end = mask.find(b" ", at)
        end = end if end >= 0 else len(mask)
        yield at, end
        at = mask.find(needle, end)


def _wrapped_end(data: bytes, start: int, end: int) -> int:
    """Where a run ends that goes on over line ends: lines as long as the first, then perhaps a shorter one."""
    width, full = end - start, True
    while full and (line := _NEXT_LINE.match(data, end)):
        length = line.end(1) - line.start(1)
        if length > width:
            break
        end, full = line.end(1), length == width
    return end


def _decode_run(run: bytes) -> tuple[str, bytes] | None:
    """(encoding, bytes) where a run decodes to text, UTF-16 or something compressed; None for all the rest."""
    if _HEX.match(run):
        text = bytes.fromhex(run[: len(run) // 2 * 2].decode())
        return ("hex", text) if _plausible(text[:_SAMPLE]) else None
    if run.isupper() and _BASE32.match(run):
        text = _base32(run)
        if _plausible(text[:_SAMPLE]):
            return "base32", text
    if run.islower() and _NO_DIGIT.match(run):
        return None  # words and paths
    standard = run.translate(_TO_STANDARD)
    for offset in range(4):
        if _promising(standard, offset):
            return ("base64" if standard == run else "base64url"), _base64(standard[offset:])
    return None


def _promising(run: bytes, offset: int) -> bool:
    """A look at the start, and in a long run at the middle: a word or a path may stand before what is encoded."""
    if _sample_promising(run[offset : offset + _SAMPLE]):
        return True
    middle = offset + len(run) // 8 * 4
    return len(run) > 2 * _SAMPLE and _sample_promising(run[middle : middle + _SAMPLE])


def _sample_promising(sample: bytes) -> bool:
    """First by the letters alone, which is quick; decoded only when they may be text."""
    firsts = sample[::4]
    others = len(firsts.translate(None, _FIRST_OF_ASCII))
    if 2 * others > len(firsts) and 3 * firsts.count(b"A") < len(firsts) and not sample.startswith(_ENCODED_MAGIC):
        return False
    return _plausible(_base64(sample))


def _plausible(sample: bytes) -> bool:
    """Whether decoded bytes are worth a look: text in UTF-8 or UTF-16, or the start of something compressed."""
    if len(sample) < SHORTEST // 2:
        return False
    if sample.startswith(_MAGIC):
        return True
    if len(sample.translate(None, _NOT_TEXT)) == len(sample):
        return _is_utf8(sample)
    return any(not any(sample[odd::2]) and all(sample[1 - odd :: 2]) for odd in (0, 1))


def _is_utf8(sample: bytes) -> bool:
    """As a part of something longer: characters cut at either end do not count."""
    if sample.isascii():
        return True
    start = next((at for at, byte in enumerate(sample[:4]) if byte & 0xC0 != 0x80), 4)
    try:
        sample[start:].decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start + start >= len(sample) - 3
    return True


def _base64(run: bytes) -> bytes:
    """Of standard characters only; a single one left over at the end says nothing and is dropped."""
    rest = len(run) % 4
    if rest == 1:
        run, rest = run[:-1], 0
    return binascii.a2b_base64(run + b"=" * (-rest % 4))


def _base32(run: bytes) -> bytes:
    rest = len(run) % 8
    keep = len(run) - (rest if rest in (1, 3, 6) else 0)
    try:
        return base64.b32decode(run[:keep] + b"=" * (-keep % 8))
    except binascii.Error:
        return b""
