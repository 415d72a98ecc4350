"""Addon: HTTP requests. Scanned before they leave, or while they do when they are long.

Only requests are looked at; responses stream through untouched.
"""

from __future__ import annotations

from dataclasses import replace

from mitmproxy import http

from agentguard.model.secret import SecretMatch
from agentguard.sense.proxy import answers
from agentguard.sense.proxy.desk import Desk
from agentguard.sense.proxy.framing import message_scan
from agentguard.sense.proxy.heads import distinct, scan_head
from agentguard.sense.proxy.layers import Chunk
from agentguard.sense.proxy.names import ASKED, verified_host
from agentguard.sense.proxy.report import ORDINARY_METHOD, Caller, Subject
from agentguard.sense.proxy.safe import safe
from agentguard.sense.proxy.upload import Lane, Upload

BUFFERED = 8 << 20
"""Requests up to this many bytes are scanned whole, before the first byte leaves."""
_BODILESS = ("GET", "HEAD", "DELETE", "OPTIONS", "TRACE")
"""Methods whose requests have no body as a rule: without a length they need no streaming."""
_PENDING = "agentguard-pending"
_OURS = "agentguard-answer"


class Requests:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @safe
    def http_connect(self, flow: http.HTTPFlow) -> None:
        """The name alone can carry a secret, to whoever answers for it in the DNS."""
        caller = self.desk.caller(flow.client_conn.id)
        host, port = flow.request.host, flow.request.port
        caller.connect = (host, port)
        if not self.desk.active:
            return
        subject = Subject(protocol="http/1.1", method="CONNECT", scheme="https", host=host, port=port)
        rule = self.desk.report(caller, subject, scan_head(self.desk.scanner, host, "", ()))
        if rule:
            flow.response = answers.denied(rule)

    @safe
    def http_connect_error(self, flow: http.HTTPFlow) -> None:
        """mitmproxy's own text gives advice about mitmproxy."""
        if flow.response is not None and flow.response.status_code == answers.BAD_GATEWAY:
            flow.response = answers.unreachable()

    @safe
    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """A body that is too long to be kept, or whose end is not known, is scanned while it passes."""
        if flow.error or not _must_stream(flow.request):
            return
        if not self.desk.active:
            flow.request.stream = True
            return
        caller, subject = self.desk.caller(flow.client_conn.id), self._subject(flow)
        pending = self._head(flow, subject)
        upload = self._upload(flow, caller, subject)
        if self.desk.blocks(caller, subject, pending):
            upload.rule = self.desk.report(caller, subject, pending)
        else:
            flow.metadata[_PENDING] = pending
        flow.request.stream = upload
        self.desk.counts.requests += 1

    @safe
    async def upload(self, chunk: Chunk) -> None:
        """A piece of a streamed body; at its end, the trailers too."""
        flow, upload = chunk.flow, chunk.flow.request.stream
        assert isinstance(upload, Upload)
        await upload.take(chunk.data)
        if chunk.data or upload.rule or not self.desk.active:
            return
        caller, subject = self.desk.caller(flow.client_conn.id), self._subject(flow)
        self.desk.opaque(upload.opaque, caller, subject.host)
        trailers = scan_head(self.desk.scanner, "", "", _trailers(flow))
        found = [*flow.metadata.pop(_PENDING, ()), *trailers]
        upload.rule = self.desk.report(caller, replace(subject, size=upload.size), found)

    @safe
    async def request(self, flow: http.HTTPFlow) -> None:
        """The whole request has arrived; nothing of it has left, unless it was streamed."""
        upload = flow.request.stream
        if not self.desk.active or (isinstance(upload, Upload) and upload.ended):
            return
        if isinstance(upload, Upload) and upload.rule:
            self._deny(flow, upload.rule)
            return
        if not isinstance(upload, Upload):
            self.desk.counts.requests += 1
        flow.metadata.pop(_PENDING, None)
        caller, subject = self.desk.caller(flow.client_conn.id), self._subject(flow)
        body = flow.request.raw_content or b""
        subject = replace(subject, size=len(body))
        matches = self._head(flow, subject)
        if body:
            matches += await self._body(flow, body, caller, subject)
        rule = self.desk.report(caller, subject, distinct(matches))
        if rule:
            self._deny(flow, rule)

    @safe
    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """A model's first word must not wait for its last."""
        if flow.response is not None and _OURS not in flow.metadata:
            flow.response.stream = True

    @safe
    async def error(self, flow: http.HTTPFlow) -> None:
        """A server that cannot be reached ends the connection, as it would without us: no answer is invented.

        Of a body that breaks off the server has what came before; the last word of it still waits for its scan.
        """
        upload = flow.request.stream
        if isinstance(upload, Upload) and not upload.ended and self.desk.active:
            await upload.take(b"")
        pending = flow.metadata.pop(_PENDING, None)
        if pending and self.desk.active:
            self.desk.report(self.desk.caller(flow.client_conn.id), self._subject(flow), pending)
        answers.drop(flow)

    def _deny(self, flow: http.HTTPFlow, rule: str) -> None:
        flow.response = answers.denied(rule, close=not flow.request.is_http2)
        flow.metadata[_OURS] = True

    def _upload(self, flow: http.HTTPFlow, caller: Caller, subject: Subject) -> Upload:
        def on_matches(matches: list[SecretMatch], size: int) -> str:
            found = [*flow.metadata.pop(_PENDING, ()), *matches]
            return self.desk.report(caller, replace(subject, size=size), found)

        headers = flow.request.headers
        kind, encoding = headers.get("content-type", ""), headers.get("content-encoding", "")
        scan = message_scan(self.desk.scanner, headers)
        return Upload(
            scan or self.desk.scanner.stream(content_type=kind, content_encoding=encoding),
            Lane(flow.client_conn.id, self.desk.offload, self.desk.gates),
            on_matches,
            lambda error: self.desk.failed("upload", error),
            holds=self.desk.guard.can_block,
        )

    def _head(self, flow: http.HTTPFlow, subject: Subject) -> list[SecretMatch]:
        fields = [*flow.request.headers.fields, *_trailers(flow)]
        found = scan_head(self.desk.scanner, subject.host, flow.request.path, fields)
        return found if ORDINARY_METHOD.fullmatch(subject.method) else [*found, *self._method(subject.method)]

    def _method(self, method: str) -> list[SecretMatch]:
        """HTTP lets a client make one up."""
        return self.desk.scanner.scan(method.encode("utf-8", "surrogateescape"), place="method")

    async def _body(self, flow: http.HTTPFlow, body: bytes, caller: Caller, subject: Subject) -> list[SecretMatch]:
        kind = flow.request.headers.get("content-type", "")
        encoding = flow.request.headers.get("content-encoding", "")
        scan = await self.desk.offload(
            len(body), lambda: self.desk.scanner.scan_body(body, content_type=kind, content_encoding=encoding)
        )
        self.desk.opaque(scan.opaque, caller, subject.host)
        return list(scan.matches)

    def _subject(self, flow: http.HTTPFlow) -> Subject:
        host, port = verified_host(flow, self.desk.caller(flow.client_conn.id))
        return Subject(
            protocol="h2" if flow.request.is_http2 else "http/1.1",
            method=flow.request.method,
            scheme=flow.request.scheme,
            host=host,
            port=port,
            path=flow.request.path,
            user_agent=flow.request.headers.get("user-agent", ""),
            asked_host=flow.metadata.get(ASKED, ""),
        )


def _must_stream(request: http.Request) -> bool:
    """Longer than we keep, of unknown length, or one half of a conversation."""
    length: str = request.headers.get("content-length", "")
    if length.isdigit():
        return int(length) > BUFFERED
    if request.is_http2:
        return request.method not in _BODILESS
    return "transfer-encoding" in request.headers


def _trailers(flow: http.HTTPFlow) -> tuple[tuple[bytes, bytes], ...]:
    return flow.request.trailers.fields if flow.request.trailers else ()
