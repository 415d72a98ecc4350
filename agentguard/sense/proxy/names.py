"""Addon: does a request name the host that was reached? CONNECT, SNI and Host agree, or the certificate covers them.

Domain fronting reaches one host of a delivery network and has it pass the request to another customer's: the
certificate is verified, and the receiver is somebody else. A certificate that covers both names is no such thing:
HTTP/2 clients send requests for all of its names over one connection.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import replace

from cryptography import x509
from mitmproxy import connection, http, tls

from agentguard.sense.proxy.desk import Desk
from agentguard.sense.proxy.environment import is_loopback
from agentguard.sense.proxy.report import Caller, Subject
from agentguard.sense.proxy.safe import safe

ASKED = "agentguard-asked-host"
"""In a flow's metadata: the name in its Host that nobody proved."""
_MOST_TOLD = 1024


class Names:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._told: set[tuple[str, str, str]] = set()

    @safe
    def tls_established_client(self, data: tls.TlsData) -> None:
        """The server has proved the SNI by now; the name that CONNECT asked for may be another."""
        client, caller = data.context.client, self.desk.caller(data.context.client.id)
        if caller.connect is None or not client.sni:
            return
        asked, reached = caller.connect[0], _normal(client.sni)
        if _normal(asked) == reached or _is_address(asked) or is_loopback(asked):
            return  # a client that resolves names itself connects to an address
        if not covers(certificate_names(data.context.server), asked):
            port = caller.connect[1]
            subject = Subject(protocol="tls", method="CONNECT", scheme="https", host=reached, port=port)
            self._tell(client, replace(subject, connect_host=asked))

    @safe
    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Before anything of the request is looked at: where it claims to go."""
        caller = self.desk.caller(flow.client_conn.id)
        host, port = verified_host(flow, caller)
        reached = _normal(host)
        asked = other_name(reached, flow.request.host_header or "")
        server = flow.server_conn
        if not asked or proved(reached, asked, certificate_names(server) if server.tls else None):
            return
        flow.metadata[ASKED] = asked
        subject = Subject(
            protocol="h2" if flow.request.is_http2 else "http/1.1",
            method=flow.request.method,
            scheme=flow.request.scheme,
            host=reached,
            port=port,
            asked_host=asked,
        )
        self._tell(flow.client_conn, subject)

    def _tell(self, client: connection.Client, subject: Subject) -> None:
        """Once a connection: a client that fronts does so with each request."""
        key = (client.id, subject.connect_host, subject.asked_host)
        if key in self._told or not self.desk.active:
            return
        if len(self._told) >= _MOST_TOLD:
            self._told.clear()
        self._told.add(key)
        self.desk.misnamed(self.desk.caller(client.id), subject)


def verified_host(flow: http.HTTPFlow, caller: Caller) -> tuple[str, int]:
    """The name whose certificate was checked (SNI), else the one the client asked to be connected to, as written.

    Never the Host header of a tunnelled request: that is the client's to choose.
    """
    if caller.connect is None:
        return flow.request.host, flow.request.port
    host, port = caller.connect
    return flow.client_conn.sni or host, port


def other_name(reached: str, host_header: str) -> str:
    """The name in a request's Host or :authority, as written, when it is not the one reached; else "".

    A server on this machine is called by any name while it is developed.
    """
    asked = _without_port(host_header.strip())
    return "" if _normal(asked) in ("", reached) or is_loopback(reached) else asked


def proved(reached: str, asked: str, names: Collection[str] | None) -> bool:
    """Whether the host that was reached may be called `asked`.

    Args:
        names: of its certificate; None: there is no TLS, so that nobody proves a name, and an address has none.
    """
    return _is_address(reached) if names is None else covers(names, asked)


def certificate_names(server: connection.Server) -> tuple[str, ...]:
    """DNS names and addresses of the certificate a server has shown; () when it has shown none."""
    if not server.certificate_list:
        return ()
    try:
        names = server.certificate_list[0].altnames
    except ValueError:
        return ()
    addresses = names.get_values_for_type(x509.IPAddress)
    return (*map(_normal, names.get_values_for_type(x509.DNSName)), *map(str, addresses))


def covers(names: Collection[str], host: str) -> bool:
    """Whether one of a certificate's names is `host`; `*` stands for one whole label, the first (RFC 9525)."""
    host = _normal(host)
    parent = host.partition(".")[2]
    return host in names or ("." in parent and f"*.{parent}" in names)


def _without_port(authority: str) -> str:
    host, colon, port = authority.rpartition(":")
    return host if colon and port.isdigit() and (":" not in host or host.endswith("]")) else authority


def _normal(name: str) -> str:
    return name.strip().strip("[]").rstrip(".").lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(_normal(name).partition("%")[0])
    except ValueError:
        return False
    return True
