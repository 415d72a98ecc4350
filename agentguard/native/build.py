"""Compiles the C of this folder, once, when AgentGuard is installed: `python build.py FOLDER [--only]`.

Standard library only, and no import of the package: set-up runs it before anything is there. A library's name holds the
hash of what it was made from, so one made from other sources is never loaded; --only removes such from the folder.
Linux only: elsewhere it does nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
LIBRARIES = {"loop": ("loop.c", "table.h"), "gate": ("gate.c", "table.h"), "views": ("views.c",)}
COMMON = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fvisibility=hidden")
FLAGS = {
    "loop": (*COMMON, "-pthread", "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2"),
    "gate": (  # in every program of the tree: no libc, one page of code, one of data, two relocations
        *COMMON,
        *("-nostdlib", "-ffreestanding", "-fno-stack-protector", "-U_FORTIFY_SOURCE", "-s"),
        *("-fno-asynchronous-unwind-tables", "-fno-tree-loop-distribute-patterns"),  # the latter calls strlen
        "-Wl,-z,noseparate-code,-z,norelro,-z,now,--hash-style=gnu,--build-id=none",
    ),
    "views": (*COMMON, "-O3", "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2"),
}

INSTEAD = {
    "loop": "the Python loop serves",
    "gate": "the supervisor is asked at every open",
    "views": "escapes are resolved in Python",
}
"""What becomes of a session without it. The order is that of `LIBRARIES`: the first that is missing is told."""

LONGEST = 120
"""Seconds that a compiler may take for one library; it takes less than one on an idle machine."""


class CompilerMissingError(OSError):
    """There is no C compiler."""


def library_name(kind: str) -> str:
    """File name of a library made from the sources as they are."""
    digest = hashlib.sha256(repr(FLAGS[kind]).encode())
    for source in LIBRARIES[kind]:
        digest.update((SOURCES / source).read_bytes())
    return f"{kind}-{digest.hexdigest()[:16]}.so"


def compiler() -> list[str]:
    """The words that start the C compiler: $CC, cc, gcc or clang; none where there is no such program."""
    chosen = os.environ.get("CC")
    known = [shlex.split(chosen)] if chosen else [["cc"], ["gcc"], ["clang"]]
    return next((words for words in known if words and shutil.which(words[0])), [])


def build(kind: str, folder: Path) -> Path:
    """Compile one library into `folder`, unless it is there.

    Raises:
        OSError: a source cannot be read, the folder not written; `CompilerMissingError`: there is no C compiler.
        subprocess.SubprocessError: the compiler failed, and its `stderr` says why; or it took too long.
    """
    target = folder / library_name(kind)
    if target.exists():
        return target
    program = compiler()
    if not program:
        raise CompilerMissingError("no C compiler")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        made = Path(scratch) / "made.so"
        words = [*program, *FLAGS[kind], "-o", str(made), str(SOURCES / LIBRARIES[kind][0])]
        subprocess.run(
            words,
            check=True,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C"},  # `reason` reads what it says
            timeout=LONGEST,
        )
        made.chmod(0o644)
        made.replace(target)
    return target


def reason(error: OSError | subprocess.SubprocessError) -> str:
    """Why a library could not be made, in a few words."""
    if isinstance(error, CompilerMissingError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.strerror}: {error.filename}" if error.filename else str(error.strerror or error)
    if isinstance(error, subprocess.TimeoutExpired):
        return f"the C compiler took longer than {LONGEST} s"
    told = re.search(r"error: (.*)", getattr(error, "stderr", "") or "")
    return f"the C compiler failed: {told[1]}" if told else "the C compiler failed"


def remove_others(folder: Path, made: set[Path]) -> None:
    """Remove what was made from other sources, and what an interrupted run left.

    A session that still runs keeps working: it has its loop in memory and its gate in its own run folder.
    """
    with contextlib.suppress(OSError):
        for entry in set(folder.iterdir()) - made:
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()


def main(argv: list[str]) -> int:
    """Compile all. The status is 0 even when that fails, for they are optional.

    On stdout nothing, or one line that says what was not made and what serves instead; on stderr, all that the compiler
    said.
    """
    if sys.platform != "linux":
        return 0
    folder = Path(argv[0])
    made: set[Path] = set()
    failed: dict[str, str] = {}
    for kind in LIBRARIES:
        try:
            made.add(build(kind, folder))
        except (OSError, subprocess.SubprocessError) as error:
            failed[kind] = reason(error)
            print(getattr(error, "stderr", None) or error, file=sys.stderr)
    if failed:
        kind = next(iter(failed))
        print(f"the native {kind} was not compiled ({failed[kind]}): {INSTEAD[kind]}")
    if "--only" in argv:
        remove_others(folder, made)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
