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
    given = _given()
    return _DEFAULT if given is None or shutil.which(_DEFAULT) == given else shlex.quote(given)


def interpreter_options() -> tuple[str, ...]:
    """For a further `python -m agentguard`, so that it says the same."""
    given = _given()
    return () if given is None else ("-X", f"agentguard={given}")


def _given() -> str | None:
    given = sys._xoptions.get("agentguard")
    return given if isinstance(given, str) and given else None
