"""Encoded runs inside text: base64 (both alphabets), hex, base32. Found cheaply, decoded only where text comes out."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator

SHORTEST = 24
"""Characters; a shorter run holds no more than 18 bytes, which the index of known values looks for by itself."""

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_MASK = bytes(0x61 if byte in _BASE64 else 0x0A if byte in b"\r\n" else 0x20 for byte in range(256))
"""Run characters become `a`, line ends stay, all else is a blank: then a run is found by `bytes.find`."""
_NEEDLE = b"a" * SHORTEST
_LINE = 48
"""A line of a wrapped run has at least this many characters, all lines but the last the same number."""
_BREAK = re.compile(rb"\n{1,2}(?=a)")
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_SAMPLE = 64
_BAD = bytes(byte for byte in range(32) if byte not in b"\t\n\r\x1b") + b"\x7f"
_MAGIC = (b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\x78\x9c", b"\x78\x01", b"\x78\xda", b"\x78\x5e")
_HEX = re.compile(rb"[0-9a-fA-F]+\Z")
_BASE32 = re.compile(rb"[A-Z2-7]+\Z")

Decoder = Callable[[bytes], bytes]


def runs(data: bytes) -> Iterator[bytes]:
    """Every run of base64 characters, lines of a wrapped one joined."""
    mask = data.translate(_MASK)
    at = mask.find(_NEEDLE)
    while at >= 0:
        start = max(mask.rfind(b" ", 0, at), mask.rfind(b"\n", 0, at)) + 1
        end, lines = _run_end(mask, start)
        run = data[start:end]
        yield b"".join(run.split()) if lines > 1 else run
        at = mask.find(_NEEDLE, end)


def _run_end(mask: bytes, start: int) -> tuple[int, int]:
    """Where the run that begins at `start` ends, going on over line ends; and its number of lines."""
    end, lines = _line_end(mask, start), 1
    width = end - start
    while width >= _LINE:
        gap = _BREAK.match(mask, end)
        if gap is None:
            break
        line_end = _line_end(mask, gap.end())
        if line_end - gap.end() > width:
            break
        full = line_end - gap.end() == width
        end, lines = line_end, lines + 1
        if not full:
            break
    return end, lines


def _line_end(mask: bytes, start: int) -> int:
    ends = [at for at in (mask.find(b" ", start), mask.find(b"\n", start)) if at >= 0]
    return min(ends, default=len(mask))


def decoded(data: bytes, budget: int) -> dict[str, bytes]:
    """What the runs of `data` decode to, by encoding, runs joined by line ends; at most `budget` bytes in all."""
    out: dict[str, list[bytes]] = {}
    for run in runs(data):
        if budget <= 0:
            break
        found = decode_run(run[: budget * 2])
        if found is not None:
            encoding, text = found
            out.setdefault(encoding, []).append(text)
            budget -= len(text)
    return {encoding: b"\n".join(parts) for encoding, parts in out.items()}


def decode_run(run: bytes) -> tuple[str, bytes] | None:
    """(encoding, bytes) where a run decodes to text, UTF-16 or something compressed; None for all the rest."""
    if _HEX.match(run):
        text = bytes.fromhex(run[: len(run) // 2 * 2].decode())
        return ("hex", text) if plausible(text[:_SAMPLE]) else None
    if _BASE32.match(run):
        text = _base32(run)
        if plausible(text[:_SAMPLE]):
            return "base32", text
    if run.islower() and not any(digit in run for digit in b"0123456789"):
        return None
    encoding = "base64url" if b"-" in run or b"_" in run else "base64"
    standard = run.translate(_TO_STANDARD)
    for offset in range(4):
        if _sample_plausible(standard, offset):
            return encoding, _base64(standard[offset:])
    return None


def plausible(sample: bytes) -> bool:
    """Whether decoded bytes can be worth a look: text in UTF-8 or UTF-16, or the start of something compressed."""
    if len(sample) < SHORTEST // 2:
        return False
    if sample.startswith(_MAGIC):
        return True
    if sample.translate(None, _BAD) == sample:
        return _is_utf8(sample)
    return _is_wide(sample)


def _sample_plausible(run: bytes, offset: int) -> bool:
    """A look at the start, and in a long run at the middle: a word or a path may stand before it."""
    if plausible(_base64(run[offset : offset + _SAMPLE])):
        return True
    middle = offset + len(run) // 8 * 4
    return len(run) > 4 * _SAMPLE and plausible(_base64(run[middle : middle + _SAMPLE]))


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


def _is_wide(sample: bytes) -> bool:
    """UTF-16 of mostly ASCII: every other byte is zero."""
    return any(not any(sample[odd::2]) and all(sample[1 - odd :: 2]) for odd in (0, 1))


def _base64(run: bytes) -> bytes:
    try:
        return binascii.a2b_base64(run[: len(run) // 4 * 4] + _tail(run))
    except binascii.Error:
        return b""


def _tail(run: bytes) -> bytes:
    """The last characters, padded; a single one left over says nothing."""
    rest = run[len(run) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def _base32(run: bytes) -> bytes:
    rest = len(run) % 8
    keep = len(run) - (rest if rest in (1, 3, 6) else 0)
    try:
        return base64.b32decode(run[:keep] + b"=" * (-keep % 8))
    except binascii.Error:
        return b""
