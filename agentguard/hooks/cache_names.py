"""Where what is compiled of the policies lies: under a name that says of what, so that it is never out of date."""

from __future__ import annotations

import os
import zlib

from agentguard import __version__
from agentguard.hooks.expressions import VERSION

_READERS = ("rules.py", "rules_file.py", "context_form.py", "assignment_patterns.py", "templates.py")
"""Of agentguard/detect: what makes the types what they are. In a checkout the version alone says little."""


def cache_names(source: str, cache: str) -> tuple[str, str]:
    """(the credential types, what tells a plain text) as they lie in this folder.

    Args:
        source: policies/secrets.yaml.
        cache: a folder of the user's own.

    Raises:
        OSError: the source cannot be read.
    """
    folder = _package() + "/detect/"
    checksum = 0
    for path in (source, *(folder + name for name in _READERS)):
        with open(path, "rb") as file:
            checksum = zlib.crc32(file.read(), checksum)
    start = f"{cache}/gate-{__version__}-{checksum:08x}"
    return f"{start}.types", f"{start}-{VERSION}.sieve"


def secrets_yaml() -> str:
    """As in `agentguard.paths.policies_dir`, without pathlib, which takes as long to import as git takes to compare."""
    inside = _package() + "/policies"
    folder = inside if os.path.isdir(inside) else os.path.dirname(_package()) + "/policies"
    return folder + "/secrets.yaml"


def _package() -> str:
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
