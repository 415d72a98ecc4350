"""The environment that makes a session's programs use the proxy and trust its CA.

Each variable was tried with the client that reads it. Variables that *replace* a client's roots get the bundle
(system + user + ours); variables that *add* get our CA alone, or the bundle when the user had put something there.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from agentguard.sense.proxy.ca import ADDING, REPLACING, TrustFiles
from agentguard.sense.proxy.java import VARIABLE as JAVA_OPTIONS
from agentguard.sense.proxy.java import java_options
from agentguard.sense.proxy.wget import write_settings

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY", "WSS_PROXY")
TOOL_PROXIES = frozenset(
    {
        *("NPM_CONFIG_PROXY", "NPM_CONFIG_HTTP_PROXY", "NPM_CONFIG_HTTPS_PROXY", "YARN_HTTP_PROXY", "YARN_HTTPS_PROXY"),
        *("PIP_PROXY", "CARGO_HTTP_PROXY", "GLOBAL_AGENT_HTTP_PROXY", "GLOBAL_AGENT_HTTPS_PROXY"),
    }
)
"""Variables by which one tool goes through another proxy than the rest. Changed where the user has set them, in the
case in which they are set."""
_TOOL_EXCEPTIONS = frozenset({"NPM_CONFIG_NOPROXY", "GLOBAL_AGENT_NO_PROXY"})


def session_environment(port: int, trust: TrustFiles, base: Mapping[str, str]) -> dict[str, str]:
    """Variables to set over `base` for the agent.

    `NO_PROXY` loses loopback, which is watched like any other destination; the user's own entries for other hosts stay
    (their connections are seen as going round the proxy).

    Args:
        port: the proxy's, on 127.0.0.1.
        trust: from `write_trust`.
        base: the environment the agent would have had.

    Raises:
        OSError: wget's settings cannot be written.
    """
    url = f"http://127.0.0.1:{port}"
    env: dict[str, str] = {}
    for name in PROXY_VARIABLES:  # curl reads only the lower-case http_proxy; others only the upper-case names
        env[name] = env[name.lower()] = url
    env["NO_PROXY"] = env["no_proxy"] = _without_loopback(base.get("no_proxy") or base.get("NO_PROXY", ""))
    env.update(dict.fromkeys(REPLACING, str(trust.bundle)))
    for name in ADDING:
        env[name] = str(trust.bundle if base.get(name) else trust.ca_pem)
    env["DENO_TLS_CA_STORE"] = base.get("DENO_TLS_CA_STORE") or "system,mozilla"
    env["NODE_USE_ENV_PROXY"] = "1"  # fetch and http(s) of Node from 22.21 and 24
    env |= _of_tools(base, url, trust)
    env["WGETRC"] = str(trust.bundle.with_name("wgetrc"))
    write_settings(Path(env["WGETRC"]), base, proxy=url, bundle=trust.bundle)
    java = java_options(port, trust, base)
    if java is not None:
        env[JAVA_OPTIONS] = java
    return env


def upstream_of(base: Mapping[str, str]) -> str:
    """The user's own proxy, that ours must go through; "" when there is none."""
    for name in ("HTTPS_PROXY", "ALL_PROXY", "HTTP_PROXY"):
        value = base.get(name.lower()) or base.get(name)
        if value:
            return value if "://" in value else f"http://{value}"
    return ""


def is_loopback(host: str) -> bool:
    """Whether a host as written in a URL names this machine. Names are not resolved."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback or (mapped or address).is_unspecified


def _without_loopback(no_proxy: str) -> str:
    entries = (entry.strip() for entry in no_proxy.split(","))
    return ",".join(entry for entry in entries if entry and entry != "*" and not _covers_loopback(entry))


def _covers_loopback(entry: str) -> bool:
    host = entry.lstrip(".*")
    if "/" in host:
        try:
            return ipaddress.ip_network(host, strict=False).is_loopback
        except ValueError:
            return False
    return is_loopback(host) or is_loopback(urlsplit(f"//{host}").hostname or "")


def _of_tools(base: Mapping[str, str], url: str, trust: TrustFiles) -> dict[str, str]:
    """What the user has set for one tool, which would go before what is set for all."""
    env: dict[str, str] = {}
    for name, value in base.items():
        if name.upper() in TOOL_PROXIES:
            env[name] = url
        elif name.upper() in _TOOL_EXCEPTIONS:
            env[name] = _without_loopback(value)
        elif name.upper() in REPLACING:  # npm_config_cafile
            env[name] = str(trust.bundle)
    return env
