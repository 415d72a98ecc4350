"""What AgentGuard keeps: what can be made again, and what cannot."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from agentguard.config import Home
from agentguard.setup.files import told

_KEPT = (
    *("agentguard.db", "agentguard.db-wal", "agentguard.db-shm", "register.head", "chain.key", "fingerprint.key"),
    *("policy.yaml", "trusted_policies", "notify.yaml", "notified.json", "agentguard.log"),
    *("reports", "proxy", "notes", "looks"),
)
"""In the home folder. Whatever else lies there is not ours."""


def caches(home: Home, environ: Mapping[str, str], user_home: Path) -> list[Path]:
    """Made again when they are missing: compiled rules, and the environment of a checkout that cannot hold its own."""
    folder = Path(environ.get("XDG_CACHE_HOME") or user_home / ".cache") / "agentguard"
    return [path for path in (home.cache, folder) if path.exists()]


def kept(home: Home) -> list[Path]:
    """The database, the keys, the policy, the reports: gone for good when they are removed."""
    return [path for path in (home.root / name for name in _KEPT) if os.path.lexists(path)]


def remove(path: Path) -> None:
    """A file, a link, or a folder with all that is in it.

    Raises:
        ConfigError: it cannot be removed.
    """
    with told(path, "remove"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
