"""Addon: who connects. Attribution, access control, and connections that came to nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from mitmproxy import connection, tls

from agentguard.model.observation import GapType
from agentguard.sense.proxy.captured import CapturedConnections
from agentguard.sense.proxy.desk import Desk
from agentguard.sense.proxy.peers import Identifier
from agentguard.sense.proxy.report import Caller
from agentguard.sense.proxy.safe import safe

_UNVERIFIED = "Certificate verify failed"
"""How mitmproxy begins its word for it."""
_NOT_NOW = ("not yet valid", "has expired")
"""How OpenSSL says that the certificate itself is in order."""


class Doors:
    def __init__(
        self, desk: Desk, peers: Identifier, captured: CapturedConnections, spare: Callable[[Caller], None]
    ) -> None:
        """`spare` is told of a captured client that refuses our certificate."""
        self.desk = desk
        self._peers = peers
        self._captured = captured
        self._spare = spare

    @safe
    def client_connected(self, client: connection.Client) -> None:
        """The client waits for our first answer meanwhile."""
        client.error = "not identified"  # stays, should what follows fail: nobody comes in unasked
        caller = self._captured.caller(client)
        if caller is not None:
            client.error = None
            self.desk.welcome(client.id, caller)
            return
        peer = self._peers.identify(client.peername[:2], client.sockname[:2])
        if peer.refused:
            detail = f"a connection to the proxy was refused: {peer.refused}"
            self.desk.gap(GapType.REFUSED_CLIENT, detail, process=peer.process, harmless=True)
            return
        client.error = None
        self.desk.welcome(client.id, Caller(peer.process, peer.confidence))

    @safe
    def client_disconnected(self, client: connection.Client) -> None:
        self.desk.farewell(client.id)

    @safe
    def tls_failed_client(self, data: tls.TlsData) -> None:
        """The client does not trust our CA, or pins a certificate. Nothing was sent."""
        caller = self.desk.caller(data.context.client.id)
        if caller.captured:
            self._spare(caller)
            what = "{program}, captured, refused the proxy's certificate for {host}; it is let go from now on"
            self._tls_refused(data, what, "let the program trust the session's CA (SSL_CERT_FILE)", data.context.server)
            return
        remedy = "let the program trust the session's CA (SSL_CERT_FILE), or exempt the host with NO_PROXY"
        self._tls_refused(data, "{program} refused the proxy's certificate for {host}", remedy, data.context.server)

    @safe
    def tls_failed_server(self, data: tls.TlsData) -> None:
        """The server could not prove its name, or did not finish. Nothing was sent."""
        why = data.conn.error or ""
        if _UNVERIFIED in why and any(words in why for words in _NOT_NOW):
            today = datetime.now().astimezone().date().isoformat()
            what = f"the certificate of {{host}} is not valid on {today}, the date of this machine's clock"
            remedy = "set the clock, if it is wrong; else the server's certificate ran out"
            self._tls_refused(data, what, remedy, data.conn)
        elif _UNVERIFIED in why:
            remedy = "name the server's CA in SSL_CERT_FILE before the session starts"
            self._tls_refused(data, "the certificate of {host} could not be verified", remedy, data.conn)
        else:
            self._tls_refused(data, "{host} did not complete the TLS handshake", "", data.conn)

    def _tls_refused(self, data: tls.TlsData, what: str, remedy: str, server: connection.Server) -> None:
        name = data.context.client.sni or (server.address[0] if server.address else "an unknown host")
        process = self.desk.caller(data.context.client.id).process
        program = process.name if process and process.name else "a program"
        redact = self.desk.scanner.redact
        detail = what.format(host=redact(name)[0], program=redact(program)[0]) + "; nothing was sent"
        self.desk.gap(GapType.TLS_REFUSED, detail, process=process, remedy=remedy, harmless=True)
