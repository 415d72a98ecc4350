"""What mitmproxy's protocol layers lack: a body that waits for its scan and is refused with an answer, a raw connection
that holds back, control frames of a WebSocket, trailers of HTTP/1.1, backpressure.

A layer is a generator of commands; one that yields a blocking hook waits until the addons are done with it, and no
other layer waits with it. Each function here wraps a method of a layer, which then does its work as before.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import h11
from mitmproxy import connection, http
from mitmproxy.proxy import commands, events, server
from mitmproxy.proxy.layers import tcp, websocket
from mitmproxy.proxy.layers.http import (
    DropStream,
    HttpStream,
    RequestData,
    RequestEndOfMessage,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
    SendHttp,
    _http1,
)
from wsproto.events import CloseConnection, Ping, Pong

from agentguard.sense.proxy import answers
from agentguard.sense.proxy.gates import Gates
from agentguard.sense.proxy.raw import IDLE_SECONDS, RawStream
from agentguard.sense.proxy.upload import Upload

Commands = Generator[commands.Command, Any, None]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a streamed body; b"" at its end."""

    flow: http.HTTPFlow
    data: bytes


@dataclass
class UploadHook(commands.StartHook):  # type: ignore[misc]  # mitmproxy is not analysed
    """Before a piece of a streamed body goes on, and before its end."""

    chunk: Chunk


def hold_bodies() -> None:
    """Let an `Upload` take each chunk before it is called for, and refuse the request when it says so."""
    stream, start = HttpStream.state_stream_request_body, HttpStream.start_request_stream

    @functools.wraps(stream)
    def state_stream_request_body(self: HttpStream, event: events.Event) -> Commands:
        upload = self.flow.request.stream
        if isinstance(upload, Upload):
            if isinstance(event, RequestData) and upload.holds:
                yield UploadHook(Chunk(self.flow, event.data))
            elif isinstance(event, RequestEndOfMessage):
                yield UploadHook(Chunk(self.flow, b""))
            if upload.rule:
                yield SendHttp(RequestProtocolError(self.stream_id, "", RequestProtocolError.code), self.context.server)
                yield from _refuse(self, upload.rule)
                return
        yield from stream(self, event)

    @functools.wraps(start)
    def start_request_stream(self: HttpStream) -> Commands:
        upload = self.flow.request.stream
        if isinstance(upload, Upload) and upload.rule:
            yield from _refuse(self, upload.rule)
        else:
            yield from start(self)

    HttpStream.state_stream_request_body = state_stream_request_body
    HttpStream.start_request_stream = start_request_stream


def _refuse(stream: HttpStream, rule: str) -> Commands:
    """Tell the client why, unless an answer has begun already; what else it sends of the request is swallowed."""
    client, number = stream.context.client, stream.stream_id
    if stream.flow.response is None:
        response = answers.denied(rule, close=not stream.flow.request.is_http2)
        yield SendHttp(ResponseHeaders(number, response), client)
        yield SendHttp(ResponseData(number, response.raw_content), client)
        yield SendHttp(ResponseEndOfMessage(number), client)
    else:
        yield SendHttp(ResponseProtocolError(number, "", ResponseProtocolError.code), client)
    stream.flow.live = False
    stream.client_state = stream.server_state = stream.state_errored
    yield DropStream(number)


def hold_raw_connections(find: Callable[[str], RawStream | None]) -> None:
    """Send on what is held back of a raw connection when its client pauses, or ends.

    Args:
        find: the stream of a flow, by its id, when something of it may be held back.
    """
    relay, done = tcp.TCPLayer.relay_messages, tcp.TCPLayer.done

    @functools.wraps(relay)
    def relay_messages(self: tcp.TCPLayer, event: events.Event) -> Commands:
        raw = find(self.flow.id) if self.flow else None
        if raw is None:
            yield from relay(self, event) if not isinstance(event, events.Wakeup) else ()
            return
        flush = events.DataReceived(self.context.client, b"")
        if isinstance(event, events.Wakeup):
            if raw.is_idle():
                yield from relay(self, flush)
        else:
            if isinstance(event, events.ConnectionClosed) and event.connection == self.context.client:
                yield from relay(self, flush)
            yield from relay(self, event)
        if raw.arm():
            yield commands.RequestWakeup(IDLE_SECONDS)

    @functools.wraps(done)
    def ignore(self: tcp.TCPLayer, event: events.Event) -> Commands:
        yield from done(self, event) if not isinstance(event, events.Wakeup) else ()

    tcp.TCPLayer.relay_messages = relay_messages
    tcp.TCPLayer.done = ignore


def see_control_frames(blocks: Callable[[str, bytes], bool]) -> None:
    """Look into what the addons are not shown: the data of a ping or pong, and the reason of a close.

    Args:
        blocks: given the client's id and the data: whether it must not be sent; then it is left out.
    """
    received = websocket.WebsocketConnection.events

    @functools.wraps(received)
    def looked_into(self: websocket.WebsocketConnection) -> Iterator[Any]:
        for event in received(self):
            if not isinstance(self.conn, connection.Client):
                yield event
            elif isinstance(event, Ping | Pong):
                yield replace(event, payload=b"") if blocks(self.conn.id, bytes(event.payload)) else event
            elif isinstance(event, CloseConnection):
                yield replace(event, reason="") if blocks(self.conn.id, (event.reason or "").encode()) else event
            else:
                yield event

    websocket.WebsocketConnection.events = looked_into


def leave_out_trailers() -> None:
    """mitmproxy gives up over trailers in HTTP/1.1, and both sides wait; a proxy may discard them (RFC 9110, 6.5.1)."""
    make = _http1.make_body_reader

    @functools.wraps(make)
    def make_body_reader(expected_size: int | None) -> Any:
        reader = make(expected_size)
        return _WithoutTrailers(reader) if expected_size is None else reader

    _http1.make_body_reader = make_body_reader


class _WithoutTrailers:
    """h11's reader of a chunked body."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def __call__(self, buffer: Any) -> Any:
        event = self._reader(buffer)
        return h11.EndOfMessage() if isinstance(event, h11.EndOfMessage) else event

    def read_eof(self) -> Any:
        return self._reader.read_eof()


def read_through(gates: Gates) -> None:
    """Read from a client when its gate is open. Its answers are written all the same."""
    drain = server.ConnectionHandler.drain_writers

    @functools.wraps(drain)
    async def drain_writers(self: server.ConnectionHandler) -> None:
        await drain(self)
        io = self.transports.get(self.client)
        if io is not None and io.handler is asyncio.current_task():
            # asyncio's reader has no public word for what it has taken in.
            await gates.passage(self.client.id, hasty=bool(getattr(io.reader, "_buffer", b"")))

    server.ConnectionHandler.drain_writers = drain_writers
