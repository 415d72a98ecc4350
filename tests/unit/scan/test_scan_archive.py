"""Archives are looked into, however deep they are packed, and a hostile one costs little and is told."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from scan_support import KEY, KEYS, looker, places, reasons

from agentguard.scan.archive import is_archive
from agentguard.scan.tally import Tally

TEXT = b"first\nkey = " + KEY + b"\n"


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(mode: str = "w", **files: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def look(data: bytes, name: str = "a", **options: object) -> Tally:
    one = looker(**options)
    one.stream(name, io.BytesIO(data))
    return one.handed_over()


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_is_looked_into_however_it_is_compressed(mode: str) -> None:
    assert places(look(tarred(mode, **{"etc/app.conf": TEXT}), "a.tar")) == [("a.tar!etc/app.conf", 2)]


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_what_is_only_compressed_keeps_its_name(compress: Callable[[bytes], bytes]) -> None:
    assert places(look(compress(TEXT), "app.log.gz")) == [("app.log.gz", 2)]


def test_an_archive_in_an_archive() -> None:
    inner = zipped(**{"app.jar": zipped(config=TEXT), "other": KEYS[1] + b"\n"})
    found = places(look(tarred("w:gz", **{"x/inner.zip": inner}), "a.tgz"))
    assert found == [("a.tgz!x/inner.zip!app.jar!config", 2), ("a.tgz!x/inner.zip!other", 1)]


def test_a_bomb_is_told_and_what_came_before_it_counts() -> None:
    bomb = zipped(first=TEXT, zeros=b"0" * 3_000_000, last=TEXT)
    tally = look(bomb, most_unpacked=1_000_000)
    assert places(tally) == [("a!first", 2)]
    assert reasons(tally)["a"].startswith("more than 0 MB come out of it")
    layers = bomb
    for _ in range(4):
        layers = gzip.compress(layers)
    assert len(look(layers, most_unpacked=1_000_000).unread) == 1


def test_archives_without_an_end_are_left_at_some_depth() -> None:
    layers = TEXT
    for _ in range(12):
        layers = zipped(x=layers)
    tally = look(layers)
    assert tally.found == []
    assert list(reasons(tally).values()) == ["an archive in 6 others"]


def test_one_damaged_or_encrypted_member_does_not_hide_the_others() -> None:
    data = bytearray(zipped(bad=b"x" * 400 + TEXT, good=TEXT))
    at = data.find(b"bad") + 3
    data[at : at + 8] = b"\xff" * 8
    tally = look(bytes(data))
    assert places(tally) == [("a!good", 2)]
    assert reasons(tally) == {"a!bad": "a damaged archive"}
    encrypted = bytearray(zipped(locked=TEXT, open=TEXT))
    central = encrypted.find(b"PK\x01\x02")
    encrypted[6] |= 1
    encrypted[central + 8] |= 1
    tally = look(bytes(encrypted))
    assert places(tally) == [("a!open", 2)]
    assert reasons(tally) == {"a": "locked is encrypted"}


def test_what_cannot_be_opened_here_is_told() -> None:
    assert "7z archive" in reasons(look(b"7z\xbc\xaf\x27\x1c" + b"\0" * 40))["a"]


def test_a_tar_with_a_name_of_megabytes_is_not_taken_into_memory() -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 8 << 20
    assert reasons(look(info.tobuf(tarfile.GNU_FORMAT) + b"n" * (1 << 16))) == {"a": "a damaged archive"}


WHOLE = [zipped(a=TEXT, b=zipped(c=TEXT)), tarred("w", a=TEXT), tarred("w:gz", a=TEXT), zstandard.compress(TEXT)]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(WHOLE), st.integers(0, 2000), st.binary(min_size=1, max_size=6), st.integers(0, 2000))
def test_no_damage_ends_the_scan(whole: bytes, at: int, noise: bytes, cut: int) -> None:
    data = bytearray(whole)
    data[at % len(data) :][: len(noise)] = noise
    at %= len(data)
    data[at : at + len(noise)] = noise
    look(bytes(data[: len(data) - cut % len(data)]))


def test_text_is_no_archive() -> None:
    assert not is_archive(b"BZhello, this is text")
    assert not is_archive(b"PK and other letters")
    assert is_archive(bz2.compress(b""))
