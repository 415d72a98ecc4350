"""Where the compiled credential types lie: under a name that says of what they were made, so that they are never out of
date. A commit waits for what is imported here."""

from __future__ import annotations

import os
import zlib

from agentguard import __version__

_READERS = ("rules.py", "rules_file.py", "context_form.py", "assignment_patterns.py", "templates.py")
"""What makes the types what they are. In a checkout the version alone says little."""


def types_file(source: str, cache: str) -> str:
    """Where the credential types lie in this folder.

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
    return f"{cache}/secrets-{__version__}-{checksum:08x}.types"


def secrets_yaml() -> str:
    """As in `agentguard.paths.policies_dir`, without pathlib, which takes as long to import as git takes to compare."""
    inside = _package() + "/policies"
    folder = inside if os.path.isdir(inside) else os.path.dirname(_package()) + "/policies"
    return folder + "/secrets.yaml"


def _package() -> str:
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
