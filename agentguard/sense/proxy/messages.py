"""Addon: WebSocket messages, and the bytes of a CONNECT that are no HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from mitmproxy import http, tcp

from agentguard.model.observation import GapType
from agentguard.model.secret import SecretMatch
from agentguard.sense.proxy import answers
from agentguard.sense.proxy.desk import Desk
from agentguard.sense.proxy.environment import is_loopback
from agentguard.sense.proxy.names import ASKED, verified_host
from agentguard.sense.proxy.raw import RawStream
from agentguard.sense.proxy.report import Subject
from agentguard.sense.proxy.safe import safe

_HANDSHAKE, _CLIENT_HELLO = b"\x16\x03", b"\x01"
"""A TLS record of this type, of any version; behind its length the type of the message (RFC 8446, 5.1 and 4)."""


class Messages:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._raw: dict[str, RawStream] = {}
        """By flow."""
        self._sockets: dict[str, http.HTTPFlow] = {}
        """Open WebSockets, by client."""

    def held(self, flow_id: str) -> RawStream | None:
        """The raw stream of a flow, when something of it may be held back."""
        stream = self._raw.get(flow_id)
        return stream if stream is not None and stream.holds else None

    @safe
    def websocket_start(self, flow: http.HTTPFlow) -> None:
        self._sockets[flow.client_conn.id] = flow

    @safe
    def websocket_end(self, flow: http.HTTPFlow) -> None:
        self._sockets.pop(flow.client_conn.id, None)

    @safe
    async def websocket_message(self, flow: http.HTTPFlow) -> None:
        """Whole messages, decompressed. A blocked one is dropped; the connection stays."""
        assert flow.websocket is not None
        message = flow.websocket.messages[-1]
        del flow.websocket.messages[:-1]  # mitmproxy would keep all of them
        if not (message.from_client and self.desk.active):
            return
        self.desk.counts.requests += 1
        content = message.content
        with self.desk.gates.closed(flow.client_conn.id):
            matches = await self.desk.offload(len(content), lambda: self.desk.scanner.scan(content, place="websocket"))
        if self._report_frame(flow, "SEND", len(content), matches):
            message.drop()

    def blocks_control_frame(self, client_id: str, data: bytes) -> bool:
        """Whether the payload of a ping or pong, or the reason of a close, must not be sent."""
        flow = self._sockets.get(client_id)
        if flow is None or not (data and self.desk.active):
            return False
        try:
            return self._report_frame(flow, "CONTROL", len(data), self.desk.scanner.scan(data, place="websocket"))
        except Exception as error:  # the layer would be lost
            self.desk.failed("control frame", error)
            return False

    @safe
    def tcp_start(self, flow: tcp.TCPFlow) -> None:
        caller = self.desk.caller(flow.client_conn.id)
        address = caller.connect or flow.server_conn.address or ("", 0)
        host = flow.client_conn.sni or address[0]
        subject = Subject(protocol="tcp", method="SEND", scheme="tcp", host=host, port=address[1])
        self._raw[flow.id] = RawStream(self.desk.scanner, subject, holds=self.desk.guard.can_block)
        self.desk.counts.requests += 1

    @safe
    async def tcp_message(self, flow: tcp.TCPFlow) -> None:
        """A blocked one is emptied, and both connections are reset. An empty one says that the client pauses."""
        message = flow.messages[-1]
        del flow.messages[:-1]
        stream = self._raw.get(flow.id)
        if stream is None or not message.from_client:
            return
        if not self.desk.active:
            stream.holds = False
        if await self._blocks(flow, stream, message.content):
            stream.discard()
            answers.abort(flow)
        message.content = stream.pass_on(paused=not message.content)

    async def _blocks(self, flow: tcp.TCPFlow, stream: RawStream, data: bytes) -> bool:
        caller = self.desk.caller(flow.client_conn.id)
        if data.startswith(b"SSH-"):
            host = self.desk.scanner.redact(stream.subject.host)[0]
            detail = f"an SSH connection to {host} through the proxy cannot be read"
            self.desk.gap(GapType.OPAQUE_BODY, detail, process=caller.process)
        elif _is_client_hello(data) and not is_loopback(stream.subject.host):
            host = self.desk.scanner.redact(stream.subject.host)[0]
            detail = f"a connection to {host} began to encrypt after its first bytes (STARTTLS): it cannot be read"
            self.desk.gap(GapType.OPAQUE_BODY, detail, process=caller.process)
        try:
            with self.desk.gates.closed(flow.client_conn.id):
                matches = await stream.look(data, self.desk.offload)
        except Exception as error:  # what was taken must go on
            self.desk.failed("tcp_message", error)
            return False
        return bool(self.desk.report(caller, stream.subject, matches))

    @safe
    def tcp_end(self, flow: tcp.TCPFlow) -> None:
        self._close(flow)

    @safe
    def tcp_error(self, flow: tcp.TCPFlow) -> None:
        self._close(flow)

    def _close(self, flow: tcp.TCPFlow) -> None:
        stream = self._raw.pop(flow.id, None)
        if stream is not None and self.desk.active:
            self.desk.report(self.desk.caller(flow.client_conn.id), stream.subject, stream.finish())

    def _report_frame(self, flow: http.HTTPFlow, method: str, size: int, matches: Sequence[SecretMatch]) -> bool:
        """Whether it must not be sent."""
        caller = self.desk.caller(flow.client_conn.id)
        host, port = verified_host(flow, caller)
        subject = Subject(
            protocol="websocket",
            method=method,
            scheme="wss" if flow.request.scheme == "https" else "ws",
            host=host,
            port=port,
            path=flow.request.path,
            user_agent=flow.request.headers.get("user-agent", ""),
            asked_host=flow.metadata.get(ASKED, ""),
            size=size,
        )
        return bool(self.desk.report(caller, subject, matches))


def _is_client_hello(data: bytes) -> bool:
    return data.startswith(_HANDSHAKE) and data[5:6] == _CLIENT_HELLO
