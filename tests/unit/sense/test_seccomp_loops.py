"""Both loops under stress, on real processes: hostile paths, signals, other instruction sets, a death in the middle."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.ordinary_user import open_folder, ordinary_user_prefix

from agentguard.native.build import SOURCES, compiler
from agentguard.native.find import find_library

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")

REPOSITORY = Path(__file__).resolve().parents[3]
HARNESS = REPOSITORY / "tests/harness"
INT_80 = """
static char path[] = ".env"; /* below 4 GiB, for the program is linked at a fixed place */
int main(void)
{
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(5), "b"(path), "c"(0), "d"(0) : "memory");
	return result < 0;
}
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def secret() -> Iterator[Path]:
    with open_folder() as base:
        folder = base / "project"
        (folder / "sub").mkdir(parents=True)
        file = folder / ".env"
        file.write_text("PLAIN=1\n")
        (folder / "loop").symlink_to(".")
        (folder / "me").symlink_to("/proc/self")
        (folder / "symbolic").symlink_to("sub/../.env")
        Path(os.fsdecode(bytes(folder) + b"/\xff\xfe link")).symlink_to(".env")
        for path in (folder, file):
            path.chmod(0o777)
        yield file


@pytest.fixture(params=["native", "python"])
def run(request: pytest.FixtureRequest, secret: Path) -> Run:
    """Starts a harness as an ordinary user, with one of the two loops."""
    loop = str(request.param)
    if loop == "native" and find_library("loop") is None:
        pytest.skip("the native loop was not compiled")

    def start(harness: str, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*ordinary_user_prefix(), sys.executable, str(HARNESS / harness), *words],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=secret.parent,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(REPOSITORY),
                "PYTHONDONTWRITEBYTECODE": "1",
                "AGENTGUARD_LOOP": loop,
                **extra,
            },
        )
        if '"unavailable"' in done.stdout:
            pytest.skip("seccomp cannot be used here")
        return done

    return start


def told(done: subprocess.CompletedProcess[str], kind: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"')]
    assert lines, done.stderr
    assert lines[0]["leaked"] == 0
    return [line for line in lines if line["type"] == kind]


def compiled(folder: Path, name: str, source: str, *flags: str) -> Path:
    words = compiler()
    if not words:
        pytest.skip("no C compiler")
    (folder / f"{name}.c").write_text(source)
    done = subprocess.run([*words, *flags, "-o", folder / name, folder / f"{name}.c"], check=False, capture_output=True)
    if done.returncode:
        pytest.skip("it cannot be compiled here")
    return folder / name


def hostile(secret: Path, count: int, seed: int) -> tuple[str, ...]:
    return (str(secret), sys.executable, str(HARNESS / "hostile_opens.py"), str(secret), str(count), str(seed))


@pytest.mark.slow
def test_among_hostile_paths_every_open_of_the_secret_is_seen(run: Run, secret: Path) -> None:
    done = run("under_seccomp.py", *hostile(secret, 20_000, 1))
    opened = re.search(r"opened the secret (\d+) times", done.stdout)
    assert opened, done.stderr
    seen = told(done, "file")
    assert len(seen) == int(opened[1]) > 200
    assert {line["path"] for line in seen} == {str(secret)}
    assert len(told(done, "gap")) == 1, "one process passed pointers to nothing"


def test_a_storm_of_signals_makes_no_second_open(run: Run, secret: Path) -> None:
    code = (
        "import os, signal\n"
        "signal.signal(signal.SIGALRM, lambda *_: None)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)\n"
        "for _ in range(500): os.close(os.open('.env', os.O_RDONLY))\n"
        "signal.setitimer(signal.ITIMER_REAL, 0)\n"
    )
    assert len(told(run("under_seccomp.py", str(secret), sys.executable, "-c", code), "file")) == 500


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="int 0x80 is x86's")
def test_a_32_bit_call_is_seen(run: Run, secret: Path) -> None:
    program = compiled(secret.parent, "int80", INT_80, "-no-pie")
    done = run("under_seccomp.py", str(secret), str(program))
    if done.returncode:
        pytest.skip("this kernel has no 32-bit calls")
    assert [line["name"] for line in told(done, "file")] == ["int80"]


def test_all_that_a_dead_supervisor_held_is_let_go(run: Run, secret: Path) -> None:
    done = run("dying_supervisor.py", str(secret), "12")
    assert done.returncode == 0, done.stderr
    held = re.search(r"held (\d+)", done.stdout)
    assert held
    assert int(held[1]) in {1, 12}, "the Python loop holds one, and the others wait in the kernel"
    assert done.stdout.count("PLAIN=1") == 12


@pytest.mark.parametrize("run", ["native"], indirect=True)
def test_a_full_queue_loses_nothing_silently_and_blocks_nobody_for_ever(run: Run, secret: Path) -> None:
    script = "cat .env & n=0; while [ $n -lt 60 ]; do /bin/true; n=$((n+1)); done; wait"
    done = run("under_seccomp.py", str(secret), "sh", "-c", script, HARNESS_QUEUE="4000", HARNESS_HOLD="1")
    lost = sum(int(line["detail"].split()[0]) for line in told(done, "gap"))
    execs = told(done, "exec")
    assert lost > 0
    assert len(execs) + lost == 62, "the shell, the reader, and the others"


@pytest.mark.parametrize("run", ["native"], indirect=True)
def test_an_exec_is_told_before_what_its_program_opens(run: Run, secret: Path) -> None:
    done = run("under_seccomp.py", str(secret), "sh", "-c", "for n in 1 2 3 4 5; do cat .env; /bin/true; done")
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"')]
    assert [line["type"] for line in lines if line["type"] in {"exec", "file"}] == [
        "exec",
        *["exec", "file", "exec"] * 5,
    ]


@pytest.mark.slow
@pytest.mark.parametrize("run", ["native"], indirect=True)
def test_sanitizers_find_nothing_in_the_native_loop(run: Run, secret: Path) -> None:
    words = compiler()
    if not words:
        pytest.skip("no C compiler")
    folder = secret.parent.parent
    runtime = subprocess.run([*words, "-print-file-name=libasan.so"], check=False, capture_output=True, text=True)
    library = compiled(
        folder,
        "checked.so",
        f'#include "{SOURCES / "loop.c"}"\n',
        *("-std=c11", "-O1", "-g", "-fPIC", "-shared", "-pthread", f"-I{SOURCES}"),
        *("-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer"),
    )
    done = run(
        "under_seccomp.py",
        *hostile(secret, 6_000, 2),
        HARNESS_LIBRARY=str(library),
        LD_PRELOAD=runtime.stdout.strip(),
        ASAN_OPTIONS="detect_leaks=0",
    )
    assert "Sanitizer" not in done.stderr
    assert "runtime error" not in done.stderr
    assert told(done, "file")
