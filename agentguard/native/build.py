"""Compiles the C of this folder, once, when AgentGuard is installed: `python build.py FOLDER`.

Standard library only, and no import of the package: set-up runs it before anything is there. A library's name holds the
hash of what it was made from, so one made from other sources is never loaded.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
LIBRARIES = {"loop": ("loop.c", "table.h"), "gate": ("gate.c", "table.h")}
COMMON = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fvisibility=hidden")
FLAGS = {
    "loop": (*COMMON, "-pthread", "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2"),
    "gate": (*COMMON, "-nostdlib", "-ffreestanding", "-fno-stack-protector", "-Wl,-z,noseparate-code,-z,relro,-z,now"),
}


def library_name(kind: str) -> str:
    """File name of a library made from the sources as they are."""
    digest = hashlib.sha256(repr(FLAGS[kind]).encode())
    for source in LIBRARIES[kind]:
        digest.update((SOURCES / source).read_bytes())
    return f"{kind}-{digest.hexdigest()[:16]}.so"


def compiler() -> str | None:
    """The C compiler: $CC, cc, gcc or clang; None where there is none."""
    chosen = os.environ.get("CC")
    names = (chosen,) if chosen else ("cc", "gcc", "clang")
    return next((found for name in names if (found := shutil.which(name))), None)


def build(kind: str, folder: Path) -> Path:
    """Compile one library into `folder`, unless it is there.

    Raises:
        OSError: there is no compiler, or the folder cannot be written.
        subprocess.CalledProcessError: the compiler failed; its `stderr` says why.
    """
    target = folder / library_name(kind)
    if target.exists():
        return target
    program = compiler()
    if program is None:
        raise FileNotFoundError("there is no C compiler (Debian, Ubuntu: apt install gcc libc6-dev)")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        made = Path(scratch) / "made.so"
        words = [program, *FLAGS[kind], "-o", str(made), str(SOURCES / LIBRARIES[kind][0])]
        subprocess.run(words, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        made.chmod(0o644)
        made.replace(target)
    return target


def main(argv: list[str]) -> int:
    """Compile all. One line for each that could not be made; the status is 0 all the same, for they are optional."""
    folder = Path(argv[0])
    for kind in LIBRARIES:
        try:
            build(kind, folder)
        except OSError as error:
            print(f"the {kind} was not compiled: {error.strerror or error}")
        except subprocess.CalledProcessError as error:
            print(f"the {kind} was not compiled: {error.stderr.strip().splitlines()[0] if error.stderr else error}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
