"""Where connections go: redirects of the demo, loopback past a company's proxy, DNS over TCP as plain bytes."""

from __future__ import annotations

from mitmproxy import connection, http, tls
from mitmproxy.proxy import layer, layers, mode_specs
from mitmproxy.proxy.layers import modes
from mitmproxy.proxy.layers.http import HTTPMode
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from agentguard.sense.proxy.addons import NextLayer
from agentguard.sense.proxy.environment import is_loopback

_DNS_PORTS = (53, 5353)
_HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n"
"""RFC 9113, 3.4"""
_TLS_RECORD = b"\x16\x03"
"""How the first one begins: a handshake, of any version."""


class Redirects:
    """Only the TCP address changes: the name in CONNECT, SNI, Host and the certificate check stay the real ones."""

    def __init__(self, addresses: dict[str, tuple[str, int]]) -> None:
        self._addresses = addresses
        self._names: dict[str, str] = {}
        """Id of a connection to a server → the name it stands for."""

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Refuses what is not mapped and not on this machine: a demo or a test never reaches the network."""
        host = data.server.address[0]
        target = self._addresses.get(host.lower())
        if target is not None and is_loopback(target[0]):
            self._names[data.server.id] = host
            data.server.address = tuple(target)
        elif not is_loopback(host):
            data.server.error = "AgentGuard: this host is not part of the demonstration"

    def tls_start_server(self, data: tls.TlsData) -> None:
        """The name that is verified is the client's SNI, which was not known yet when CONNECT opened the connection."""
        data.conn.sni = data.conn.sni or data.context.client.sni or self._names.get(data.conn.id)

    def server_disconnected(self, data: ServerConnectionHookData) -> None:
        self._names.pop(data.server.id, None)


class LoopbackDirect:
    """Behind a user's own proxy: what is on this machine is not asked of a machine elsewhere."""

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """A plain request may change its target with every request on one connection."""
        mode = flow.client_conn.proxy_mode
        if isinstance(mode, mode_specs.UpstreamMode) and flow.server_conn.via and is_loopback(flow.request.host):
            flow.server_conn = connection.Server(address=(flow.request.host, flow.request.port))
            flow.request.authority = ""

    def next_layer(self, data: layer.NextLayer) -> None:
        """CONNECT to loopback: decided by the first line, for the whole connection."""
        context = data.context
        if len(context.layers) != 1 + 1 or not isinstance(context.layers[0], modes.HttpUpstreamProxy):
            return
        words = data.data_client().split(b"\n", 1)[0].split(b" ")
        if len(words) >= 2 and words[0] == b"CONNECT" and is_loopback(_host(words[1])):
            data.layer = layers.HttpLayer(context, HTTPMode.regular)


class WholeHello(NextLayer):  # type: ignore[misc]  # mitmproxy is not analysed
    """Of less than three bytes mitmproxy says that they are no TLS, and passes all that follows on, unread."""

    name = "nextlayer"

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        """Wait for the third byte of what may be a TLS record."""
        begun = nextlayer.data_client()
        if not 0 < len(begun) < len(_TLS_RECORD) + 1 or not _TLS_RECORD.startswith(begun):
            super().next_layer(nextlayer)


class PriorKnowledge:
    """HTTP/2 without TLS, as gRPC speaks on one machine: mitmproxy knows it by ALPN alone, and would cut it off."""

    def next_layer(self, data: layer.NextLayer) -> None:
        """Both sides have agreed on it. (A server that speaks first has made raw bytes of the connection already.)"""
        context = data.context
        if context.server.address and not context.client.tls and data.data_client().startswith(_HTTP2_PREFACE):
            context.client.alpn = context.server.alpn = b"h2"


class PlainDns:
    """mitmproxy would parse DNS over TCP and show it to nobody; as raw TCP it is scanned."""

    def next_layer(self, data: layer.NextLayer) -> None:
        address = data.context.server.address
        if address and address[1] in _DNS_PORTS and not data.context.client.alpn:
            data.layer = layers.TCPLayer(data.context)


def _host(authority: bytes) -> str:
    return authority.decode("latin-1").rpartition(":")[0]
