"""A process of the same user that is no part of the session: it holds a secret, and reads for whoever asks.

    python outside.py FILE SOCKET

FILE is open as descriptor 100 and its text is in memory. A client of SOCKET sends a path and gets what is there.
It says "ready" with its process id, and ends when its standard input does.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path

DESCRIPTOR = 100


def main() -> None:
    held, name = sys.argv[1:]
    text = "KEPT:" + Path(held).read_text()
    os.dup2(os.open(held, os.O_RDONLY), DESCRIPTOR)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(name)
    listener.listen()
    threading.Thread(target=_serve, args=(listener,), daemon=True).start()
    print("ready", os.getpid(), flush=True)
    sys.stdin.read()
    assert text


def _serve(listener: socket.socket) -> None:
    while True:
        client, _ = listener.accept()
        with client:
            client.sendall(Path(os.fsdecode(client.recv(4096))).read_bytes())


if __name__ == "__main__":
    main()
