"""A mitmproxy of our own: the few addons a forward proxy needs, and none of the user's configuration.

Imported in the proxy child only: importing mitmproxy takes most of the child's start.
"""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from mitmproxy import options
from mitmproxy.master import Master
from mitmproxy.proxy import mode_servers, mode_specs, server

from agentguard.errors import SensorError
from agentguard.sense.proxy.addons import Core, DisableH2C, Proxyserver, UpstreamAuth
from agentguard.sense.proxy.captured import CapturedConnections
from agentguard.sense.proxy.config import ProxyConfig
from agentguard.sense.proxy.routes import WholeHello
from agentguard.sense.proxy.trust import SessionTls

IDLE_SECONDS = 3600
_BACKLOG = 512
_TRANSPARENT = "transparent@1"
"""The port is not used: mitmproxy wants it to be another than the proxy's."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """Bound and listening; the supervisor keeps them over a restart."""

    proxy: socket.socket
    """For clients that use the proxy."""
    captured: tuple[socket.socket, ...]
    """For connections of clients that do not. None: there is no capture."""
    connections: CapturedConnections


def build_master(config: ProxyConfig, tls: SessionTls, listeners: Listeners, addons: Sequence[object]) -> Master:
    """A master that serves once it runs. Must be called in a running event loop.

    Args:
        config: of the session.
        tls: holds the CA.
        listeners: where it serves.
        addons: ours; they come before mitmproxy's own, so that theirs see what ours changed.
    """
    opts = options.Options()
    master = Master(opts)  # without the terminal log: nothing on the agent's terminal
    master.addons.add(*addons, Core(), DisableH2C(), UpstreamAuth(), Proxyserver(), WholeHello(), tls)
    mode, auth = _mode(config.upstream_proxy)
    opts.update(
        mode=[mode, _TRANSPARENT] if listeners.captured else [mode],
        listen_host="127.0.0.1",
        confdir=str(config.confdir),
        ssl_verify_upstream_trusted_ca=config.upstream_ca,
        ssl_insecure=False,
        http2=True,
        connection_strategy="eager",
        validate_inbound_headers=True,
        upstream_auth=auth,
    )
    if "tcp_timeout" in opts:  # from 12.2.1
        opts.update(tcp_timeout=IDLE_SECONDS)
    else:
        server.TCP_TIMEOUT = IDLE_SECONDS
    _serve_on(listeners)
    return master


def _serve_on(listeners: Listeners) -> None:
    """mitmproxy can only bind ports of its own."""

    async def listen(self: mode_servers.AsyncioServerInstance, _host: str, _port: int) -> list[asyncio.Server]:
        if not isinstance(self.mode, mode_specs.TransparentMode):
            return [await asyncio.start_server(self.handle_stream, sock=listeners.proxy, backlog=_BACKLOG)]
        accept = functools.partial(listeners.connections.accept, self.handle_stream)
        return [await asyncio.start_server(accept, sock=one, backlog=_BACKLOG) for one in listeners.captured]

    mode_servers.AsyncioServerInstance.listen = listen


def _mode(upstream: str) -> tuple[str, str | None]:
    """mitmproxy's mode, and the credentials for the user's own proxy.

    Raises:
        SensorError: a kind of proxy that mitmproxy cannot go through.
    """
    if not upstream:
        return "regular", None
    url = urlsplit(upstream)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise SensorError(f"cannot go through a proxy of kind {url.scheme or 'unknown'} (only http and https)")
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    port = url.port or (443 if url.scheme == "https" else 80)
    auth = f"{url.username}:{url.password or ''}" if url.username else None
    return f"upstream:{url.scheme}://{host}:{port}", auth
