"""The gate of one session: how it is made, why it is not, and what the filter lets pass."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from agentguard.model.secret import NameFilter
from agentguard.native.find import find_library
from agentguard.sense.seccomp import gate as gate_module
from agentguard.sense.seccomp.abi import ARCH_I386, ARCH_X86_64, MACHINES, RET_ALLOW, RET_ERRNO, RET_USER_NOTIF
from agentguard.sense.seccomp.bpf import build_filter
from agentguard.sense.seccomp.gate import SessionGate
from agentguard.sense.watch_table import WatchTable, file_tag

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
COMPILED = pytest.mark.skipif(find_library("gate") is None, reason="the gate is not compiled here")


@pytest.fixture
def table(tmp_path: Path) -> WatchTable:
    return WatchTable(tmp_path / "table", NameFilter(names=(b".env",)))


# --- the session's copy ---------------------------------------------------------------------------


@COMPILED
def test_each_session_has_an_address_of_its_own(tmp_path: Path, table: WatchTable) -> None:
    calls = set()
    for number in range(20):
        folder = tmp_path / str(number)
        folder.mkdir()
        made = SessionGate(folder, table).gate
        assert made
        assert 0x5500_0000_0000 <= made.call < 0x5555_0000_0000
        calls.add(made.call)
    assert len(calls) == 20


@COMPILED
def test_the_copy_differs_from_the_library_only_in_what_it_is_told(tmp_path: Path, table: WatchTable) -> None:
    library = find_library("gate")
    made = SessionGate(tmp_path, table).gate
    assert library
    assert made
    before, after = library.read_bytes(), Path(made.library).read_bytes()
    at = before.index(b"AgentGuard gate\0")
    end = at + struct.calcsize("=16sQQQQ1024s")
    assert len(before) == len(after)
    assert before[:at] + before[end:] == after[:at] + after[end:]
    address, page, size, offset = struct.unpack_from("=QQQQ", after, at + 16)
    assert address % page == 0
    assert address + offset == made.call
    assert size == len(table.memory)
    assert after[at + 48 : end].rstrip(b"\0") == bytes(table.path)


@COMPILED
def test_the_library_asks_for_nothing_but_errno(tmp_path: Path) -> None:
    if not shutil.which("nm"):
        pytest.skip("nm is not installed (Debian: binutils)")
    library = find_library("gate")
    assert library
    listed = subprocess.run(["nm", "-D", library], capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split()[-1] for line in listed if " U " in line] == ["__errno_location"]
    names = ("open", "open64", "openat", "openat64", "__open_2", "__open64_2", "__openat_2", "__openat64_2")
    assert {line.split()[-1] for line in listed if " U " not in line} == set(names)


@COMPILED
def test_its_decoy_is_in_the_table_and_the_ordinary_file_is_not(tmp_path: Path, table: WatchTable) -> None:
    made = SessionGate(tmp_path, table).gate
    assert made
    ordinary = Path(made.ordinary).stat()
    memory = bytes(table.memory)
    assert struct.pack("=Q", file_tag(*made.decoy_key)) in memory
    assert struct.pack("=Q", file_tag(ordinary.st_dev, ordinary.st_ino)) not in memory


# --- why it is not used -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["with space", "with:colon", "with$dollar", "with\nline"])
@COMPILED
def test_a_path_that_the_loader_cannot_take(tmp_path: Path, table: WatchTable, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    made = SessionGate(folder, table)
    assert made.gate is None
    assert "the dynamic loader cannot take a path like" in made.note()


def test_not_compiled(tmp_path: Path, table: WatchTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "find_library", lambda _: None)
    made = SessionGate(tmp_path, table)
    assert made.gate is None
    assert made.note() == "without the gate (it was not compiled): opens take longer, none is missed"


@COMPILED
def test_no_table(tmp_path: Path) -> None:
    made = SessionGate(tmp_path, None)
    assert made.gate is None
    assert "the table of secret files could not be written" in made.note()


def test_turned_off(tmp_path: Path, table: WatchTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTGUARD_GATE", "off")
    made = SessionGate(tmp_path, table)
    assert made.gate is None
    assert "AGENTGUARD_GATE says so" in made.note()


def test_a_library_that_is_not_ours(tmp_path: Path, table: WatchTable, monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (b"nothing", b"AgentGuard gate\0" * 200):
        (tmp_path / "other.so").write_bytes(content)
        monkeypatch.setattr(gate_module, "find_library", lambda _: tmp_path / "other.so")
        made = SessionGate(tmp_path, table)
        assert made.gate is None
        assert "its library is damaged" in made.note()


@pytest.mark.skipif(not os.statvfs("/proc").f_flag & os.ST_NOEXEC, reason="/proc is not mounted noexec here")
@COMPILED
def test_a_folder_from_which_nothing_may_be_executed(table: WatchTable) -> None:
    made = SessionGate(Path("/proc/sys"), table)
    assert made.gate is None
    assert made.note() == "without the gate (/proc is mounted noexec): opens take longer, none is missed"


@COMPILED
def test_a_gate_that_was_not_proved_is_closed(tmp_path: Path, table: WatchTable) -> None:
    made = SessionGate(tmp_path, table)
    made.settle(used=True, proved=True)
    assert made.note() == "with the gate"
    assert not table.closed
    made.settle(used=True, proved=False)
    assert table.closed
    assert "its decoy was not seen" in made.note()


@COMPILED
def test_a_gate_that_the_agent_does_not_use_stays_as_it_is(tmp_path: Path, table: WatchTable) -> None:
    made = SessionGate(tmp_path, table)
    made.settle(used=False, proved=False)
    assert not table.closed
    assert "it does not work in the agent's process" in made.note()


@COMPILED
def test_a_full_table_closes_it(tmp_path: Path) -> None:
    small = WatchTable(tmp_path / "table", NameFilter(), file_slots=8)
    made = SessionGate(tmp_path, small)
    for inode in range(10):
        small.watch(1, inode)
    assert "too many secret files" in made.note()


# --- the variables ------------------------------------------------------------------------------------


@COMPILED
def test_what_the_agent_had_preloaded_stays_first(tmp_path: Path, table: WatchTable) -> None:
    made = SessionGate(tmp_path, table).gate
    assert made
    alone = {"LD_PRELOAD": made.library, "ASAN_OPTIONS": "verify_asan_link_order=0"}
    assert made.environment({}) == alone
    assert made.environment({"LD_PRELOAD": "", "ASAN_OPTIONS": ""}) == alone
    assert made.environment({"LD_PRELOAD": "a.so b.so"})["LD_PRELOAD"] == f"a.so b.so:{made.library}"
    assert made.environment({"ASAN_OPTIONS": "x=1"})["ASAN_OPTIONS"] == "x=1:verify_asan_link_order=0"
    assert "ASAN_OPTIONS" not in made.environment({"ASAN_OPTIONS": "verify_asan_link_order=1"})


# --- the filter ---------------------------------------------------------------------------------------

GATE = 0x5512_3456_700B
ELSEWHERE = 0x7F12_3456_700B


def judged(program: bytes, number: int, arch: int, pointer: int, *arguments: int) -> int:
    """What the kernel would answer: the classic BPF that seccomp takes, run here."""
    data = struct.pack("=iIQ6Q", number, arch, pointer, *arguments, *[0] * (6 - len(arguments)))
    code = list(struct.iter_unpack("=HBBI", program))
    register, at = 0, 0
    while True:
        operation, yes, no, operand = code[at]
        at += 1
        if operation == 0x20:
            (register,) = struct.unpack_from("=I", data, operand)
        elif operation == 0x54:
            register &= operand
        elif operation == 0x06:
            return int(operand)
        else:
            met = {0x15: register == operand, 0x35: register >= operand, 0x45: bool(register & operand)}[operation]
            at += yes if met else no


@pytest.fixture(params=sorted(MACHINES))
def machine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_an_openat_passes_at_the_gate_and_nowhere_else(machine: str) -> None:
    here = MACHINES[machine]
    program = build_filter(here, GATE)
    openat = here.numbers["openat"]
    assert judged(program, openat, here.arch, GATE) == RET_ALLOW
    for near in (GATE - 1, GATE + 1, GATE ^ 1 << 32, GATE ^ 1 << 63, GATE & 0xFFFFFFFF, ELSEWHERE):
        assert judged(program, openat, here.arch, near) == RET_USER_NOTIF
    assert judged(build_filter(here), openat, here.arch, GATE) == RET_USER_NOTIF


def test_no_other_call_passes_there(machine: str) -> None:
    here = MACHINES[machine]
    with_gate, without = build_filter(here, GATE), build_filter(here)
    for number in range(500):
        if number == here.numbers["openat"]:
            continue
        for flags in (0, 1, 0o200000):
            arguments = (flags,) * 6
            expected = judged(without, number, here.arch, ELSEWHERE, *arguments)
            assert judged(with_gate, number, here.arch, GATE, *arguments) == expected
    assert judged(with_gate, here.numbers["connect"], here.arch, GATE) == RET_USER_NOTIF
    assert judged(with_gate, here.numbers["execve"], here.arch, GATE) == RET_USER_NOTIF


def test_no_foreign_call_passes_there() -> None:
    program = build_filter(MACHINES["x86_64"], GATE)
    assert judged(program, 295, ARCH_I386, GATE) == RET_USER_NOTIF  # its openat
    assert judged(program, 257, ARCH_I386, GATE) == RET_ALLOW  # remap_file_pages: not ours in any case
    assert judged(program, 257 | 0x4000_0000, ARCH_X86_64, GATE) & 0x7FFF_0000 == RET_ERRNO
