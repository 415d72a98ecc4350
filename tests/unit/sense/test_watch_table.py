"""The writer in Python and the readers in C must agree on every byte of the table."""

import ctypes
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentguard.detect.files import load_file_patterns
from agentguard.model.secret import NameFilter, SecretFile
from agentguard.native.build import SOURCES, compiler
from agentguard.paths import policies_dir
from agentguard.sense.watch_table import WatchTable, file_tag, name_tag

PATTERNS = load_file_patterns(policies_dir() / "files.yaml")
READER = """
#include "table.h"
uint64_t file_tag(uint64_t d, uint64_t i) { return ag_file_tag(d, i); }
uint64_t name_tag(char p, const char *t, size_t n) { return ag_name_tag(p, t, n); }
int holds(const void *t, uint64_t d, uint64_t i) { return ag_holds_file(t, d, i); }
int named(const void *t, const char *p, size_t n) { return ag_may_be_named(t, p, n); }
"""


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    program = compiler()
    if not program:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("reader")
    (folder / "reader.c").write_text(READER)
    words = [
        "-shared",
        "-fPIC",
        "-O1",
        "-Wall",
        "-Werror",
        "-I",
        SOURCES,
        folder / "reader.c",
        "-o",
        folder / "reader.so",
    ]
    subprocess.run([*program, *words], check=True)
    library = ctypes.CDLL(str(folder / "reader.so"))
    library.file_tag.argtypes = [ctypes.c_uint64, ctypes.c_uint64]
    library.name_tag.argtypes = [ctypes.c_char, ctypes.c_char_p, ctypes.c_size_t]
    library.file_tag.restype = library.name_tag.restype = ctypes.c_uint64
    library.holds.argtypes = [ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint64]
    library.named.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    return library


def address(table: WatchTable) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(table.memory))


def secret(inode: int, path: str = "/w/a", device: int = 7) -> SecretFile:
    return SecretFile(path=path, device=device, inode=inode)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> WatchTable:
    return WatchTable(tmp_path_factory.mktemp("shipped") / "table", PATTERNS.name_filter())


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.binary(max_size=40))
def test_tags_agree(reader: ctypes.CDLL, device: int, inode: int, text: bytes) -> None:
    assert reader.file_tag(device, inode) == file_tag(device, inode)
    assert reader.name_tag(b"n", text, len(text)) == name_tag(b"n", text)


def test_a_file_comes_and_goes(reader: ctypes.CDLL, tmp_path: Path) -> None:
    table = WatchTable(tmp_path / "table", NameFilter())
    for inode in range(1000):
        table.added(secret(inode))
    for inode in range(0, 1000, 2):
        table.discarded(7, inode)
    held = [inode for inode in range(1100) if reader.holds(address(table), 7, inode)]
    assert held == list(range(1, 1000, 2))
    assert not reader.holds(address(table), 8, 1)


def test_places_of_deleted_files_are_used_again(tmp_path: Path) -> None:
    table = WatchTable(tmp_path / "table", NameFilter(), file_slots=64)
    for inode in range(5000):
        table.added(secret(inode))
        table.discarded(7, inode)
    assert not table.closed


def test_a_full_table_closes_the_gate(reader: ctypes.CDLL, tmp_path: Path) -> None:
    table = WatchTable(tmp_path / "table", NameFilter(), file_slots=64)
    for inode in range(60):
        table.added(secret(inode))
    assert table.closed
    assert all(reader.holds(address(table), 7, inode) for inode in range(48))
    assert not reader.holds(address(table), 7, 10**6)  # and the search for what is not there ends


def test_the_name_of_a_secret_file_is_remembered(reader: ctypes.CDLL, tmp_path: Path) -> None:
    table = WatchTable(tmp_path / "table", NameFilter())
    assert not reader.named(address(table), b"/w/settings.py", 14)
    table.added(secret(5, "/w/settings.py"))
    assert reader.named(address(table), b"/w/settings.py", 14)
    assert reader.named(address(table), b"settings.py", 11)
    assert not reader.named(address(table), b"/w/xsettings.py", 15)


def test_every_example_may_be_named(reader: ctypes.CDLL, shipped: WatchTable) -> None:
    for pattern in PATTERNS.patterns:
        for example in pattern.examples_match:
            path = example.encode()
            assert reader.named(address(shipped), path, len(path)), example


_PART = st.one_of(
    st.sampled_from([name.decode() for name in PATTERNS.name_filter().names]),
    st.sampled_from(
        [".ssh", ".config", "anthropic", ".aws", "sso", "cache", "x.pem", ".env.local", "a.env", "..", "."]
    ),
    st.text(st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)), min_size=1, max_size=12),
)


@settings(max_examples=500)
@given(st.lists(_PART, min_size=1, max_size=6), st.booleans(), st.sampled_from(["/", "//"]))
def test_no_name_is_ruled_out_that_the_patterns_name(
    reader: ctypes.CDLL, shipped: WatchTable, parts: list[str], absolute: bool, separator: str
) -> None:
    path = ("/" if absolute else "") + separator.join(parts)
    if PATTERNS.match_name(path) is not None:
        raw = path.encode()
        assert reader.named(address(shipped), raw, len(raw))


def test_ordinary_names_are_ruled_out(reader: ctypes.CDLL, shipped: WatchTable) -> None:
    ordinary = [
        "/usr/lib/libc.so.6",
        "src/app/main.py",
        "/proc/self/maps",
        "README.md",
        "node_modules/a/index.js",
        "a/b/",
    ]
    assert not [path for path in ordinary if reader.named(address(shipped), path.encode(), len(path))]


def test_a_place_that_exists_is_refused(tmp_path: Path) -> None:
    (tmp_path / "table").write_bytes(b"someone else's")
    with pytest.raises(FileExistsError):
        WatchTable(tmp_path / "table", NameFilter())
