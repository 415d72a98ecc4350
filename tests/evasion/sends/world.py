"""The outside world, on addresses of a network that holds nothing else: servers, their names and their authority.

Each server has an address of the documentation range, for clients that go there by themselves, and one of loopback,
to which the proxy's test hook (`run --resolve`) brings what asks for its name.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness import isolation

from agentguard.demo.certificates import Authority
from evasion.sends import servers
from evasion.sends.quic import quic_server
from evasion.sends.received import Received

Serve = Callable[[socket.socket, Received], None]
COLLECTOR = "collector.example"
DOMAIN = "exfil.example"
"""Its names are answered for by a server of its own."""
_RESOLVER, _QUIC = 53, 9


@dataclass(frozen=True, slots=True)
class Host:
    """A server of the outside world."""

    number: int
    """The last part of its addresses."""
    names: tuple[str, ...]
    ports: tuple[int, ...]
    serve: Serve
    alpn: tuple[str, ...] = ()
    plain_ports: tuple[int, ...] = ()

    @property
    def outside(self) -> str:
        return f"203.0.113.{self.number}"

    @property
    def inside(self) -> str:
        return f"127.0.0.{self.number}"


def hosts(git_folder: Path) -> tuple[Host, ...]:
    """Everyone there is."""
    collector = (COLLECTOR, "www.collector.example", "cdn.front.example")
    return (
        Host(1, collector, (443,), servers.http1, ("http/1.1",)),
        Host(2, ("two.example",), (443,), servers.http2, ("h2",)),
        Host(3, ("socket.example",), (443,), servers.websocket, ("http/1.1",)),
        Host(4, ("raw.example",), (), servers.raw, plain_ports=(443, 9000)),
        Host(5, ("tls.example",), (443, 9000), servers.raw),
        Host(6, ("git.example", "github.com"), (443,), servers.GitServer(git_folder), ("http/1.1",)),
        Host(8, ("plain.example",), (), servers.http1, plain_ports=(80,)),
        Host(7, SERVICES, (443,), servers.http1, ("http/1.1",)),
    )


SERVICES = ("api.openai.com",)
"""Hosts to which a client may show its own login."""


@contextmanager
def outside_world(folder: Path, received: Received, more_names: tuple[str, ...]) -> Iterator[list[str]]:
    """Serve it, in a network that this process (of one thread) has to itself from now on.

    Args:
        folder: for its files. `ca.pem` is what signed its servers, `git` holds the repositories.
        received: what the servers write to.
        more_names: further names of the collector's.

    Yields:
        options of `agentguard run` that bring its names there.

    Raises:
        OSError: this machine gives no such network.
    """
    everyone = hosts(folder / "git")
    isolation.enter()
    for number in (_RESOLVER, _QUIC, *(host.number for host in everyone)):
        isolation.add_address(f"203.0.113.{number}")
    names = {name: host for host in everyone for name in host.names}
    names |= dict.fromkeys(more_names, everyone[0])
    _name_services(folder, names)
    authority = Authority("tests of sends")
    (folder / "ca.pem").write_bytes(authority.certificate)
    options = ["--upstream-ca", str(folder / "ca.pem")]
    asked = [*names.items(), *((host.outside, host) for host in everyone)]  # a captured connection asks for an address
    for name, host in asked:
        options += ["--resolve", f"{name}={host.inside}:{(host.ports or host.plain_ports)[0]}"]
    with ExitStack() as stack:
        for host in everyone:
            context = authority.server_context([name for name, owner in names.items() if owner is host])
            context.set_alpn_protocols(list(host.alpn))
            context.sni_callback = lambda _socket, name, _context: received.add(f"sni {name}".encode())
            for address in (host.inside, host.outside):
                for port in host.ports:
                    stack.enter_context(_serving(address, port, host.serve, received, context))
                for port in host.plain_ports:
                    stack.enter_context(_serving(address, port, host.serve, received, None))
        stack.enter_context(quic_server(f"203.0.113.{_QUIC}", 443, received))
        stack.enter_context(_resolving(f"203.0.113.{_RESOLVER}", received, everyone[0].outside))
        yield options


def _name_services(folder: Path, names: dict[str, Host]) -> None:
    """Names are known to this machine's own resolver too; any other it asks our server for."""
    (folder / "hosts").write_text("".join(f"{host.outside} {name}\n" for name, host in names.items()))
    (folder / "resolv.conf").write_text(f"nameserver 203.0.113.{_RESOLVER}\noptions timeout:1 attempts:1\n")
    isolation.replace_files({"/etc/hosts": folder / "hosts", "/etc/resolv.conf": folder / "resolv.conf"})


@contextmanager
def _serving(
    address: str, port: int, serve: Serve, received: Received, context: ssl.SSLContext | None
) -> Iterator[None]:
    with socket.create_server((address, port), backlog=128) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=_handle, args=(connection, serve, received, context), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield


def _handle(connection: socket.socket, serve: Serve, received: Received, context: ssl.SSLContext | None) -> None:
    connection.settimeout(30)
    with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as stack:
        stack.callback(connection.close)
        if context is not None:
            connection = context.wrap_socket(connection, server_side=True)
            stack.callback(connection.close)
        serve(connection, received)


@contextmanager
def _resolving(address: str, received: Received, answer: str) -> Iterator[None]:
    """DNS on port 53; what comes to 443 is kept as it is."""
    with ExitStack() as stack:
        for port in (53, 443):
            server = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            server.bind((address, port))
            threading.Thread(target=_datagrams, args=(server, port, received, answer), daemon=True).start()
        yield


def _datagrams(server: socket.socket, port: int, received: Received, answer: str) -> None:
    while True:
        try:
            data, sender = server.recvfrom(GATHER)
        except OSError:
            return
        if port == 53:
            with contextlib.suppress(IndexError):
                server.sendto(servers.dns_answer(data, received, answer), sender)
        else:
            received.add(data)


GATHER = servers.GATHER
