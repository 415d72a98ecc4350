"""Attribution where there is no /proc: the same answers, from psutil."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from agentguard.model.process import Confidence
from agentguard.sense.proxy.psutil_tree import PsutilPeers

CLIENT = "import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); s.recv(1)"


def test_child_is_found_and_strangers_are_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        child = subprocess.Popen([sys.executable, "-c", CLIENT, str(listener.getsockname()[1])])
        connection, _ = listener.accept()
        with connection:
            near, far = connection.getpeername(), connection.getsockname()
            found = PsutilPeers((os.getpid(),), ()).identify(near, far)
            assert found.process is not None
            assert (found.process.pid, found.confidence, found.refused) == (child.pid, Confidence.EXACT_HELD, "")
            assert found.process.cmdline[1:3] == ("-c", CLIENT)
            assert PsutilPeers((os.getpid(),), (child.pid,)).identify(near, far).refused
            assert PsutilPeers((os.getpid(),), ()).is_empty() is False
        child.wait()
        assert PsutilPeers((child.pid,), ()).is_empty()
