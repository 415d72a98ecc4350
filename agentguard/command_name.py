"""What the user types to start this program: told in next steps, so that they can be copied.

In a checkout it is `./scripts/agentguard`, and `agentguard` would not be found. The script hands on how it was
called as an option of the interpreter (`-X agentguard=NAME`): unlike a variable, the agent does not inherit it.
"""

from __future__ import annotations

import shlex
import shutil
import sys

_DEFAULT = "agentguard"


def command() -> str:
    """Quoted for a shell."""
    name = given()
    return _DEFAULT if name is None or shutil.which(_DEFAULT) == name else shlex.quote(name)


def interpreter_options() -> tuple[str, ...]:
    """For a further `python -m agentguard`, so that it says the same."""
    name = given()
    return () if name is None else ("-X", f"agentguard={name}")


def given() -> str | None:
    """As it was handed on; None where nobody did."""
    name = sys._xoptions.get("agentguard")
    return name if isinstance(name, str) and name else None
