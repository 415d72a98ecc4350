"""A bare streaming mitmproxy: the process that `agentguard run` starts, but every body streams and nothing is scanned.

Arguments: a folder, the servers' CA, and HOST=PORT for each server. Prints the environment of its clients as JSON, and
serves until its input ends.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from agentguard.sense.proxy.ca import make_authority
from agentguard.sense.proxy.captured import CapturedConnections
from agentguard.sense.proxy.config import ProxyConfig
from agentguard.sense.proxy.logs import keep_quiet
from agentguard.sense.proxy.master import Listeners, build_master
from agentguard.sense.proxy.routes import Redirects
from agentguard.sense.proxy.trust import SessionTls


class _Streams:
    def requestheaders(self, flow: Any) -> None:
        flow.request.stream = True

    def responseheaders(self, flow: Any) -> None:
        flow.response.stream = True

    def websocket_message(self, flow: Any) -> None:
        """mitmproxy would keep every message, ours too: what is compared is the proxies, not that."""
        del flow.websocket.messages[:-1]


class _Ready:
    def __init__(self, environ: dict[str, str]) -> None:
        self._environ = environ

    def running(self) -> None:
        print(json.dumps(self._environ), flush=True)


async def serve(folder: Path, upstream_ca: str, hosts: list[str]) -> None:
    """Until the input ends."""
    config = ProxyConfig(
        confdir=folder,
        roots=(),
        uid=os.getuid(),
        fingerprint_key=b"",
        policies=folder,
        upstream_ca=upstream_ca,
        redirects={host: ("127.0.0.1", int(port)) for host, port in (entry.split("=") for entry in hosts)},
    )
    ca = make_authority()
    (folder / "ca.crt").write_bytes(ca.certificate)
    made = socket.create_server(("127.0.0.1", 0), backlog=512)
    listener = socket.socket(fileno=made.detach())  # now it knows that it is TCP: asyncio sets TCP_NODELAY on no other
    environ = {
        "https_proxy": f"http://127.0.0.1:{listener.getsockname()[1]}",
        "SSL_CERT_FILE": str(folder / "ca.crt"),
    }
    listener.setblocking(False)
    tls = SessionTls(ca.key, ca.certificate, folder)
    listeners = Listeners(listener, (), CapturedConnections())
    master = build_master(config, tls, listeners, [_Ready(environ), Redirects(config.redirects), _Streams()])
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), master.shutdown)
    gc.freeze()
    await master.run()


if __name__ == "__main__":
    keep_quiet()
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
