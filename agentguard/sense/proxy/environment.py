"""The environment that makes a session's programs use the proxy and trust its CA.

Each variable was tried with the client that reads it. Variables that *replace* a client's roots get the bundle
(system + user + ours); variables that *add* get our CA alone, or the bundle when the user had put something there.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from agentguard.sense.proxy.ca import TrustFiles
from agentguard.sense.proxy.java import VARIABLE as JAVA_OPTIONS
from agentguard.sense.proxy.java import java_options

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY", "WSS_PROXY")
REPLACING = (
    "SSL_CERT_FILE",  # OpenSSL, Python, httpx, Go, rustls-native-certs, uv, Ruby, Bun, Claude Code, Codex
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "GIT_SSL_CAINFO",
    "AWS_CA_BUNDLE",
    "CARGO_HTTP_CAINFO",
    "NIX_SSL_CERT_FILE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "HTTPLIB2_CA_CERTS",
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
    "NPM_CONFIG_CAFILE",
    "YARN_HTTPS_CA_FILE_PATH",
    "YARN_CAFILE",
    "CODEX_CA_CERTIFICATE",
    "HEX_CACERTS_PATH",
)
ADDING = ("NODE_EXTRA_CA_CERTS", "DENO_CERT")


def session_environment(port: int, trust: TrustFiles, base: Mapping[str, str]) -> dict[str, str]:
    """Variables to set over `base` for the agent.

    `NO_PROXY` loses loopback, which is watched like any other destination; the user's own entries for other hosts stay
    (their connections are seen as going round the proxy).

    Args:
        port: the proxy's, on 127.0.0.1.
        trust: from `write_trust`.
        base: the environment the agent would have had.
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
    env["WGETRC"] = str(_wgetrc(trust, base))
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


def _wgetrc(trust: TrustFiles, base: Mapping[str, str]) -> Path:
    """wget (GnuTLS) listens to no variable but this one; what the user's own file says still holds."""
    own = Path(base.get("WGETRC") or Path(base.get("HOME", "/nonexistent")) / ".wgetrc")
    try:
        text = own.read_text(encoding="utf-8", errors="surrogateescape").rstrip() + "\n"
    except OSError:
        text = ""
    path = trust.bundle.with_name("wgetrc")
    path.write_text(f"{text}ca_certificate = {trust.bundle}\n", encoding="utf-8", errors="surrogateescape")
    path.chmod(0o600)  # the user's file may hold a password
    return path
