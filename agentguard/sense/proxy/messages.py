"""Addon: WebSocket messages, and the bytes of a CONNECT that are no HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field

from mitmproxy import http, tcp

from agentguard.model.observation import GapType
from agentguard.sense.proxy import answers
from agentguard.sense.proxy.desk import Desk
from agentguard.sense.proxy.interface import StreamScan
from agentguard.sense.proxy.names import ASKED, verified_host
from agentguard.sense.proxy.report import Subject
from agentguard.sense.proxy.safe import safe


@dataclass(slots=True)
class _Stream:
    scan: StreamScan
    subject: Subject
    seen: set[str] = field(default_factory=set)


class Messages:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._streams: dict[str, _Stream] = {}

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
        matches = await self.desk.offload(len(content), lambda: self.desk.scanner.scan(content, place="websocket"))
        caller = self.desk.caller(flow.client_conn.id)
        host, port = verified_host(flow, caller)
        subject = Subject(
            protocol="websocket",
            method="SEND",
            scheme="wss" if flow.request.scheme == "https" else "ws",
            host=host,
            port=port,
            path=flow.request.path,
            user_agent=flow.request.headers.get("user-agent", ""),
            asked_host=flow.metadata.get(ASKED, ""),
            size=len(content),
        )
        if self.desk.report(caller, subject, matches):
            message.drop()

    @safe
    def tcp_start(self, flow: tcp.TCPFlow) -> None:
        caller = self.desk.caller(flow.client_conn.id)
        address = caller.connect or flow.server_conn.address or ("", 0)
        host = flow.client_conn.sni or address[0]
        subject = Subject(protocol="tcp", method="SEND", scheme="tcp", host=host, port=address[1])
        self._streams[flow.id] = _Stream(self.desk.scanner.stream(place="tcp"), subject)
        self.desk.counts.requests += 1

    @safe
    def tcp_message(self, flow: tcp.TCPFlow) -> None:
        """A blocked one is emptied, and both connections are reset."""
        message = flow.messages[-1]
        del flow.messages[:-1]
        stream = self._streams.get(flow.id)
        if stream is None or not (message.from_client and self.desk.active):
            return
        caller = self.desk.caller(flow.client_conn.id)
        if message.content.startswith(b"SSH-"):
            host = self.desk.scanner.redact(stream.subject.host)[0]
            detail = f"an SSH connection to {host} through the proxy cannot be read"
            self.desk.gap(GapType.OPAQUE_BODY, detail, process=caller.process)
        matches = [match for match in stream.scan.feed(message.content) if match.fingerprint not in stream.seen]
        stream.seen.update(match.fingerprint for match in matches)
        if self.desk.report(caller, stream.subject, matches):
            message.content = b""
            answers.abort(flow)

    @safe
    def tcp_end(self, flow: tcp.TCPFlow) -> None:
        self._close(flow)

    @safe
    def tcp_error(self, flow: tcp.TCPFlow) -> None:
        self._close(flow)

    def _close(self, flow: tcp.TCPFlow) -> None:
        stream = self._streams.pop(flow.id, None)
        if stream is None or not self.desk.active:
            return
        matches = [match for match in stream.scan.finish() if match.fingerprint not in stream.seen]
        self.desk.report(self.desk.caller(flow.client_conn.id), stream.subject, matches)
