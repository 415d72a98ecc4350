"""What it costs to know which files of a workspace hold a secret: 500 MB of source text, with keys in some files."""

from __future__ import annotations

import os
import secrets
import statistics
import string
import sysconfig
import threading
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from bench_setting import Setting

from agentguard.model.index import SecretFind
from agentguard.paths import policies_dir
from agentguard.sense.content_index import ContentIndex, IndexHandler, IndexStart

_BYTES = 500_000_000
_QUICK_BYTES = 5_000_000
_KEYS = 40
_FOLDER_FILES = 50
_LONGEST_SECONDS = 600
_TICKS = os.sysconf("SC_CLK_TCK")
_ALPHABET = string.ascii_letters + string.digits


def bench_index(setting: Setting) -> None:
    """Print processor time, megabytes in each second of it, memory, and whether every key was found."""
    project = setting.base / "project"
    planted, files, size = _make_project(project, _QUICK_BYTES if setting.quick else _BYTES)
    runs = [_run(setting.base, project, planted) for _ in range(1 if setting.quick else 1 + min(setting.rounds, 3))]
    counted = runs[1:] or runs  # the first one warms the caches: reading a disk is not what is measured
    cpu = statistics.median(run[0] for run in counted)
    print(f"\nindex of {files:,} files, {size / 1e6:.0f} MB, {len(planted)} of them with a key in it")
    print(
        f"processor time of the worker   {cpu:.2f} s (worst {max(run[0] for run in counted):.2f}), its start included"
    )
    print(f"each second of it              {size / cpu / 1e6:.0f} MB")
    print(f"memory of the worker           {max(run[1] for run in counted) / 1e6:.0f} MB at most")
    print(f"time until all was known       {statistics.median(run[2] for run in counted):.2f} s")
    print(f"keys found                     {min(run[3] for run in runs)} of {len(planted)}")


def _run(base: Path, project: Path, planted: set[str]) -> tuple[float, int, float, int]:
    """Processor seconds, peak bytes, seconds until it was through, planted files found."""
    found: set[str] = set()

    def on_find(find: SecretFind) -> None:
        found.add(find.file.path)

    start = IndexStart(
        workspace=str(project),
        excluded=(),
        policies=policies_dir(),
        cache=base / "cache",
        since_ns=time.time_ns(),
        changed_since_ns=0,
    )
    began = time.monotonic()
    index = ContentIndex(IndexHandler(on_find=on_find, on_change=found.add, on_delete=found.discard), None)
    index.start(start)
    try:
        pause = threading.Event()
        while not index.progress.complete:
            if not index.alive or time.monotonic() - began > _LONGEST_SECONDS:
                raise SystemExit("the index worker did not come to an end")
            pause.wait(0.01)
        seconds = time.monotonic() - began
        return _processor_seconds(index.pid), _peak_bytes(index.pid), seconds, len(found & planted)
    finally:
        index.stop()


def _make_project(project: Path, wanted: int) -> tuple[set[str], int, int]:
    """Copies of Python's own library, each a little different. Returns the files with keys, the files, the bytes."""
    planted: set[str] = set()
    files = size = 0
    step = max(1, wanted // _KEYS)
    for text in _library():
        folder = project / f"part{files // _FOLDER_FILES // 20}" / f"unit{files // _FOLDER_FILES % 20}"
        if files % _FOLDER_FILES == 0:
            folder.mkdir(parents=True)
        path = folder / f"module{files}.py"
        content = text + f"\nNUMBER = {files}\n".encode()
        if size // step >= len(planted):
            content += f'KEY = "{_key()}"\n'.encode()
            planted.add(str(path))
        path.write_bytes(content)
        files += 1
        size += len(content)
        if size >= wanted:
            return planted, files, size
    return planted, files, size


def _library() -> Iterator[bytes]:
    """Modules of the standard library, round and round; its tests are full of made-up keys."""
    library = Path(sysconfig.get_path("stdlib"))
    paths = [path for path in sorted(library.rglob("*.py")) if not {"test", "tests", "site-packages"} & {*path.parts}]
    return cycle([path.read_bytes() for path in paths])


def _key() -> str:
    """Of a known form, made up."""
    return "gl" + "pat-" + "".join(secrets.choice(_ALPHABET) for _ in range(24))


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
