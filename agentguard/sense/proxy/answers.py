"""What the proxy itself says to a client, and how it cuts one off."""

from __future__ import annotations

import json
from typing import cast

from mitmproxy import connection, ctx, flow, http

from agentguard.sense.proxy.addons import Proxyserver

BAD_GATEWAY = 502
_FORBIDDEN = 403


def denied(rule: str, *, close: bool = True) -> http.Response:
    """403, in the shape in which model providers report errors.

    Args:
        rule: FILE:ID.
        close: say that the connection ends; HTTP/2 has no such header.
    """
    message = "AgentGuard: this request holds a credential and was not sent."
    body = {"error": {"type": "blocked_by_agentguard", "message": message, "rule": rule}}
    headers = {"content-type": "application/json"} | ({"connection": "close"} if close else {})
    return http.Response.make(_FORBIDDEN, json.dumps(body), headers)


def unreachable() -> http.Response:
    """To a CONNECT: the client makes a connection error of it."""
    text = "AgentGuard: the host could not be reached.\n"
    return http.Response.make(BAD_GATEWAY, text, {"content-type": "text/plain", "connection": "close"})


def drop(subject: flow.Flow) -> None:
    """From a hook: end the exchange and send the client nothing."""
    subject.error = flow.Error(flow.Error.KILLED_MESSAGE)
    subject.live = False


def abort(subject: flow.Flow) -> None:
    """At any moment: reset both connections. (`flow.kill` has no effect on a body that is already streaming.)"""
    server = cast("Proxyserver", ctx.master.addons.get("proxyserver"))
    handler = server.connections.get(subject.client_conn.id)
    if handler is None:
        return
    ends: tuple[connection.Connection, ...] = (subject.server_conn, subject.client_conn)
    for end in ends:
        io = handler.transports.get(end)
        if io is not None and io.writer is not None:
            io.writer.transport.abort()
