"""A server of QUIC: what comes on its streams is kept."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import QuicEvent, StreamDataReceived
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from evasion.sends.received import Received

ALPN = ["h3"]
_READY_SECONDS = 10


@contextmanager
def quic_server(address: str, port: int, received: Received) -> Iterator[None]:
    """Serve on a thread of its own, under a certificate of its own."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    kept = partial(_Kept, received)

    async def start() -> None:
        await serve(address, port, configuration=_configuration(), create_protocol=kept)
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.create_task(start())
        loop.run_forever()

    threading.Thread(target=run, daemon=True).start()
    assert ready.wait(_READY_SECONDS), "the QUIC server does not start"
    yield
    loop.call_soon_threadsafe(loop.stop)


class _Kept(QuicConnectionProtocol):
    def __init__(self, received: Received, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._received = received

    def quic_event_received(self, event: QuicEvent) -> None:
        """Each piece is acknowledged by one of its own: the client waits for it."""
        if isinstance(event, StreamDataReceived):
            self._received.add(event.data)
            self._quic.send_stream_data(event.stream_id, b"ok", end_stream=True)
            self.transmit()


def _configuration() -> QuicConfiguration:
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([]), dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("quic.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    configuration = QuicConfiguration(is_client=False, alpn_protocols=ALPN)
    configuration.certificate, configuration.private_key = certificate, key
    return configuration
