"""The C of AgentGuard, compiled into the environment.

Optional: where it cannot be compiled, Python does the same, more slowly. So nothing here fails set-up, and what failed
is not tried again at each start, but when the sources change or a compiler has come.
"""

from __future__ import annotations

import subprocess

from environment import LOG, Environment
from talk import say

STAMP = "native-sources.txt"
"""All the sources, as they were when they were given to the compiler; `venv.sh` compares them."""
NO_COMPILER = "native-no-compiler.txt"
"""There was none; `venv.sh` looks for one."""


def sources(environment: Environment) -> bytes:
    """What `venv.sh` puts together too: how it is compiled, then all C in the order of the bytes of the names."""
    folder = environment.root / "agentguard" / "native"
    return b"".join(path.read_bytes() for path in (folder / "build.py", *sorted(folder.glob("*.[ch]"))))


def is_compiled(environment: Environment) -> bool:
    """Whether there is nothing to do: another start may have done it while this one waited."""
    stamp = environment.place / STAMP
    return stamp.exists() and stamp.read_bytes() == sources(environment) and not missing(environment)


def missing(environment: Environment) -> bool:
    """Whether there was no compiler when last it was tried."""
    return (environment.place / NO_COMPILER).exists()


def compile_native(environment: Environment, lock: int) -> None:
    """Compile what the package has. One line to the user when something could not be; the rest is in the log.

    The lock is handed on, in case we are killed before the compiler ends.
    """
    tried = sources(environment)
    program = environment.root / "agentguard" / "native" / "build.py"
    folder = environment.place / "lib" / "agentguard"
    with (environment.place / LOG).open("a", encoding="utf-8") as log:
        run = subprocess.run(
            [environment.python, "-I", program, folder, "--only"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            errors="replace",
            pass_fds=[lock],
            check=False,
        )
        log.write(run.stdout)
    told = run.stdout.strip()
    if run.returncode:
        told = f"the native loop was not compiled (see {environment.place / LOG}): the Python loop serves"
    if told:
        say(told)
    (environment.place / NO_COMPILER).unlink(missing_ok=True)
    if "(no C compiler)" in told:
        (environment.place / NO_COMPILER).touch()
    (environment.place / STAMP).write_bytes(tried)
