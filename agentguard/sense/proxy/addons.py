"""The few addons of mitmproxy that a forward proxy needs. Taken from here alone, by whoever is imported first.

Imported in the proxy child only.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

from agentguard.errors import SensorError


def _skip_unused() -> None:
    """Let `mitmproxy.addons` be a plain namespace: its own __init__ imports flask, ldap3 and 40 addons (0.3 s)."""
    if "mitmproxy.addons" in sys.modules:
        return
    spec = importlib.util.find_spec("mitmproxy")
    if spec is None or not spec.submodule_search_locations:
        raise SensorError("mitmproxy is not installed: run the project's set-up again")
    package = types.ModuleType("mitmproxy.addons")
    package.__path__ = [str(Path(spec.submodule_search_locations[0]) / "addons")]
    sys.modules["mitmproxy.addons"] = package


_skip_unused()

from mitmproxy.addons.core import Core  # noqa: E402
from mitmproxy.addons.disable_h2c import DisableH2C  # noqa: E402
from mitmproxy.addons.next_layer import NextLayer  # noqa: E402
from mitmproxy.addons.proxyserver import Proxyserver  # noqa: E402
from mitmproxy.addons.tlsconfig import TlsConfig  # noqa: E402
from mitmproxy.addons.upstream_auth import UpstreamAuth  # noqa: E402

__all__ = ["Core", "DisableH2C", "NextLayer", "Proxyserver", "TlsConfig", "UpstreamAuth"]
