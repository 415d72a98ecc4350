"""Whether a way can be tried here: "" or the reason why not. What has no entry is the name of a program."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from functools import cache

from cryptography.hazmat.primitives.serialization import pkcs12

from evasion.sends.tools import DATAGRAM, Tools
from evasion.sends.way import Way

_KNOWS_PROXIES = ((22, 21), (24, 0))
"""Versions of Node from which NODE_USE_ENV_PROXY serves fetch too: of 22, and of those after 23."""


def why_not(way: Way, tools: Tools) -> str:
    for need in way.needs:
        check = _CHECKS.get(need)
        reason = check(tools) if check else tools.why_not(need)
        if reason:
            return reason
    return ""


@cache
def _node_knows_proxies() -> bool | None:
    """None without a Node."""
    if not shutil.which("node"):
        return None
    done = subprocess.run(["node", "-p", "process.versions.node"], capture_output=True, text=True, check=True)
    major, minor, *_ = map(int, done.stdout.split("."))
    return (major, minor) >= _KNOWS_PROXIES[1] or ((major, minor) >= _KNOWS_PROXIES[0] and major == 22)


def _java_trust(tools: Tools) -> str:
    """Whether a session can make Java trust it: see `agentguard.sense.proxy.java`."""
    can = hasattr(pkcs12, "serialize_java_truststore")
    return "" if can else "this cryptography cannot write a Java trust store"


def _ring(tools: Tools) -> str:
    if reason := tools.why_not(DATAGRAM):
        return reason
    done = subprocess.run([tools.folder / DATAGRAM, "--can"], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"the system refuses: {done.stderr.strip()[-200:]}"


def _node(wanted: bool) -> Callable[[Tools], str]:
    def check(tools: Tools) -> str:
        known = _node_knows_proxies()
        if known is None:
            return "node is not installed"
        return "" if known is wanted else f"this Node {'knows' if known else 'does not know'} proxies"

    return check


_CHECKS: dict[str, Callable[[Tools], str]] = {
    "io_uring": _ring,
    "Java trust": _java_trust,
    "node with proxies": _node(True),
    "node without proxies": _node(False),
}
