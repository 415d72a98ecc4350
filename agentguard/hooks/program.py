"""How this installation starts the gate, and the proof that it does."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from agentguard.command_name import given
from agentguard.detect.compiled import compiled_types
from agentguard.errors import EXIT_FOUND, ConfigError
from agentguard.hooks.gate import PROVE
from agentguard.hooks.plain import make_sieve
from agentguard.hooks.scripts import Program
from agentguard.paths import policies_dir

_LONGEST = 60
"""Seconds: a first start compiles."""


def this_program(home: Path) -> Program:
    """Of the interpreter and the package that run now.

    Raises:
        ConfigError: the interpreter does not know its own place.
    """
    if not sys.executable:
        raise ConfigError("this Python does not know where it lies; start AgentGuard by the full path of its Python")
    yaml = importlib.util.find_spec("yaml")
    packages = str(Path(yaml.origin).parents[1]) if yaml and yaml.origin else ""
    start = Path(__file__).resolve().with_name("start.py")
    return Program(python=sys.executable, start=str(start), home=str(home), packages=packages, command=given() or "")


def prepare(program: Program) -> None:
    """Compile the policies, and prove the gate.

    Raises:
        ConfigError: it does not work here.
        PolicyError: the credential types are invalid.
    """
    cache = Path(program.home) / "cache"
    cache.mkdir(mode=0o700, exist_ok=True)
    for old in (*cache.glob("secrets-*"), *cache.glob("start-*.kept")):
        old.unlink(missing_ok=True)
    make_sieve(compiled_types(str(policies_dir() / "secrets.yaml"), str(cache)))
    problem = problem_of(program)
    if problem:
        raise ConfigError(f"the gate does not work here, so nothing was installed: {problem}")


def problem_of(program: Program) -> str:
    """Why the gate, started the way a hook starts it, does not stop a made-up key; "" when it does."""
    words = [program.python, "-I", "-S", program.start, program.home, program.packages, PROVE]
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=_LONGEST, check=False)
    except OSError as error:
        return f"{program.python}: {error.strerror}"
    except subprocess.TimeoutExpired:
        return f"no answer within {_LONGEST} s"
    if done.returncode == EXIT_FOUND:
        return ""
    return next(iter(done.stderr.splitlines()[-1:]), f"a made-up key passed (status {done.returncode})")
