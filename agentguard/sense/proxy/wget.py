"""wget (GnuTLS) takes its roots from no variable, and a proxy from its settings before the environment's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_ROOTS = re.compile(r"^[ \t]*ca[-_]?certificate[ \t]*=[ \t]*(\S.*?)[ \t]*$", re.IGNORECASE | re.MULTILINE)


def own_settings(environ: Mapping[str, str]) -> str:
    """The user's `.wgetrc`, or the file that WGETRC names; "" when there is none to read."""
    path = environ.get("WGETRC") or str(Path(environ.get("HOME", "/nonexistent")) / ".wgetrc")
    try:
        return Path(path).read_text(encoding="utf-8", errors="surrogateescape")
    except (OSError, ValueError):
        return ""


def own_roots(environ: Mapping[str, str]) -> str:
    """The file of roots that those settings name; "" for none."""
    named = _ROOTS.findall(own_settings(environ))
    return str(named[-1]) if named else ""


def write_settings(path: Path, environ: Mapping[str, str], *, proxy: str, bundle: Path) -> None:
    """The user's settings and, where they would lead round the proxy, ours: of two lines wget obeys the last.

    Raises:
        OSError: the file cannot be written.
    """
    own = own_settings(environ).rstrip()
    ours = ["use_proxy = on", f"http_proxy = {proxy}", f"https_proxy = {proxy}", f"ca_certificate = {bundle}"]
    path.touch(mode=0o600)  # the user's file may hold a password
    path.write_text("\n".join([*([own] if own else []), *ours, ""]), encoding="utf-8", errors="surrogateescape")
